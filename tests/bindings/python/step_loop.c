/* What a step costs without Python: the seconds that so many take, by a pointer to the arnn_step inside the wheel. */
#include <arnn.h>
#include <time.h>

typedef arnn_status step_function(arnn_state *, const arnn_output *, const arnn_input *, const size_t *, size_t);

double step_loop(step_function *step, arnn_state *state, const arnn_output *out, const arnn_input *in, int32_t number)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int32_t i = 0; i < number; i++)
        if (step(state, out, in, NULL, 1) != ARNN_OK)
            return -1;
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec);
}
