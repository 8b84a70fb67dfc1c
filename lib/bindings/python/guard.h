/* What the Python package has of its own in C. A flag that one thread at a time may raise, and the step of a stepper
   under that flag as one call with one argument: every other call into C, lock or argument costs a tenth as much as the
   whole step of a small model. */
typedef struct guarded_step {
    bool *busy;
    arnn_state *const *state; /* where it is found; NULL there once it is closed */
    const arnn_output *out;
    const arnn_input *in;
    const size_t *streams;
    size_t count;
} guarded_step;

/* False: another thread has it. */
bool guard_take(bool *busy);
void guard_give(bool *busy);

/* arnn_step with these arguments; GUARD_BUSY where another thread has the flag. */
enum { GUARD_BUSY = -1 };
int32_t guard_step(const guarded_step *step);
