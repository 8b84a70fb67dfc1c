/* On which processor a thread runs, and how it is kept off one for a while. Linux, and at most ARNN_PROCESSORS_MOST of them;
   elsewhere nothing is known, and nothing done. */
#ifndef ARNN_BASE_PROCESSOR_H
#define ARNN_BASE_PROCESSOR_H

#include <stdbool.h>

#define ARNN_PROCESSOR_UNKNOWN (-1)
#define ARNN_PROCESSORS_MOST   1024

/* That of the calling thread. */
int arnn_processor(void);

/* The system's number of the calling thread; 0: not known. */
int arnn_thread_id(void);

/* A thread of this process, which has not ended, and while it is kept off a processor what its affinity was. Zero but for
   the thread at first. */
typedef struct arnn_kept_off {
    int thread;
    bool kept;
    unsigned long allowed[ARNN_PROCESSORS_MOST / (8 * sizeof(unsigned long))];
} arnn_kept_off;

/* Until it is let back, the thread may run wherever it was allowed but on this processor (only: not on one that it was
   kept off before). Where there is no other, or the system does not let us, nothing changes. */
void arnn_keep_off(arnn_kept_off *who, int processor);
void arnn_let_back(arnn_kept_off *who);

#endif
