/* On which processor a thread runs, and how it is kept from one for a while. Linux; elsewhere nothing is known, and nothing
   done. */
#ifndef ARNN_BASE_PROCESSOR_H
#define ARNN_BASE_PROCESSOR_H

#include <stdbool.h>

#define ARNN_PROCESSOR_UNKNOWN (-1)
#define ARNN_PROCESSORS_MOST   1024

/* That of the calling thread. */
int arnn_processor(void);

/* A thread and what its affinity was, while it is kept from a processor. */
typedef struct arnn_kept_off {
    int thread;
    bool kept;
    unsigned long allowed[ARNN_PROCESSORS_MOST / (8 * sizeof(unsigned long))];
} arnn_kept_off;

int arnn_thread_id(void);

/* Until it is let back, `who->thread` may run on every processor that it was allowed but one; if there was no other,
   nothing changes. */
void arnn_keep_off(arnn_kept_off *who, int processor);
void arnn_let_back(arnn_kept_off *who);

#endif
