/* A step within reserved room allocates nothing, frees nothing and calls no system, on every table but blas. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failing.h"
#include "tables.h"

#ifdef __linux__
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

enum { OUTPUTS = 3, STEPS = 20, MANY = 1100, MOST = 3 * MANY };

/* A model with all that may be asked of it, and room for `rows` rows of every stream. */
static world make(arnn_model_desc desc, size_t rows)
{
    world w;
    desc.outputs = OUTPUTS;
    desc.layers = 2;
    desc.skip = 1;
    if (desc.wiring != ARNN_WIRING_NONE) {
        desc.start_row = ARNN_START_ZERO;
        desc.recency = 1;
    }
    world_make(&w, &desc, NULL);
    if (w.cache)
        assert_ok(arnn_cache_reserve(w.cache, WORLD_STREAMS, rows));
    return w;
}

/* Steps of a changing choice of streams, with all outputs. Asserts nothing: it runs where nothing may be printed. */
static bool run(const world *w, size_t steps)
{
    static float x[WORLD_STREAMS * WORLD_INPUTS], y[WORLD_STREAMS * OUTPUTS], h[WORLD_STREAMS * WORLD_WIDTH];
    static float s[WORLD_STREAMS * WORLD_WIDTH], map[WORLD_STREAMS * MOST], zero[WORLD_STREAMS];
    static const size_t chosen[] = {2, 0, 1};
    arnn_output out = {.struct_size = sizeof out, .y = {.data = y}, .h = {.data = h}, .s = {.data = s}};
    if (w->cache) {
        out.map.data = map;
        out.map_zero.data = zero;
        out.map_layer = 1;
        out.map_columns = MOST;
    }
    const arnn_input in = {.struct_size = sizeof in, .x = x};
    for (size_t t = 0; t < steps; t++) {
        for (size_t i = 0; i < COUNT(x); i++)
            x[i] = (float)((i * 7 + t * 3) % 11) / 11.0f - 0.4f;
        if (arnn_step(w->state, &out, &in, chosen, 1 + t % WORLD_STREAMS) != ARNN_OK)
            return false;
    }
    return true;
}

/* ---- the allocator ---- */

static void check_allocations(arnn_model_desc desc, size_t steps)
{
    world w = make(desc, steps);
    long live = failing_live();
    failing_begin(1);
    bool good = run(&w, steps);
    bool allocated = failing_end();
    assert_true(good);
    assert_false(allocated);
    assert_int_equal(failing_live(), live);
    world_free(&w);
}

static void test_allocates_nothing(void **unused)
{
    (void)unused;
    FOR_QUIET_TABLES(table) {
        for (size_t i = 0; i < VARIANTS; i++)
            check_allocations(variant(i), STEPS);
    }
}

/* Over page ends, and with pages that window and sinks leave behind. */
static void test_allocates_nothing_at_page_ends(void **unused)
{
    (void)unused;
    FOR_QUIET_TABLES(table) {
        arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
        check_allocations(desc, MANY);
        desc.window = 40;
        desc.sinks = 4;
        check_allocations(desc, MOST);
    }
}

/* That the counting sees what it should: without room a step does allocate. */
static void test_counting_counts(void **unused)
{
    (void)unused;
    world w;
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    world_make(&w, &desc, NULL);
    const float x[WORLD_STREAMS * WORLD_INPUTS] = {0};
    const arnn_input in = {.struct_size = sizeof in, .x = x};
    failing_begin(1);
    arnn_status status = arnn_step(w.state, NULL, &in, NULL, WORLD_STREAMS);
    assert_true(failing_end());
    assert_int_equal(status, ARNN_NO_MEMORY);
    world_free(&w);
}

/* ---- the system ---- */

enum { FINE, WENT_WRONG, NO_FILTER };

#ifdef __linux__
/* From now on any system call but that of an end kills. */
static bool forbid_system_calls(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {.len = COUNT(program), .filter = program};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/* Not by _exit, for which a sanitizer calls the system. */
static void end(int status)
{
    syscall(SYS_exit_group, status);
}
#else
static bool forbid_system_calls(void)
{
    return false;
}

static void end(int status)
{
    _exit(status);
}
#endif

typedef bool job(const world *worlds, size_t count);

static bool steps_of_all(const world *worlds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!run(&worlds[i], STEPS))
            return false;
    }
    return true;
}

static bool many_steps(const world *worlds, size_t count)
{
    (void)count;
    return run(worlds, MANY);
}

static bool ask_the_system(const world *worlds, size_t count)
{
    (void)worlds, (void)count;
    return getppid() > 0;
}

/* The wait status of a child that does its job without the system. */
static int status_of(job *work, const world *worlds, size_t count)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!forbid_system_calls())
            end(NO_FILTER);
        end(work(worlds, count) ? FINE : WENT_WRONG);
    }
    while (waitpid(child, &status, 0) < 0)
        assert_int_equal(errno, EINTR);
    return status;
}

static bool no_filter(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTER;
}

static void test_filter_kills(void **unused)
{
    (void)unused;
    int status = status_of(ask_the_system, NULL, 0);
    if (no_filter(status))
        skip();
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static void assert_silent(int status)
{
    if (no_filter(status))
        skip();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), FINE);
}

static void test_calls_no_system(void **unused)
{
    (void)unused;
    static world worlds[VARIANTS];
    FOR_QUIET_TABLES(table) {
        for (size_t i = 0; i < VARIANTS; i++)
            worlds[i] = make(variant(i), STEPS);
        int status = status_of(steps_of_all, worlds, VARIANTS);
        for (size_t i = 0; i < VARIANTS; i++)
            world_free(&worlds[i]);
        assert_silent(status);
    }
}

static void test_calls_no_system_at_page_ends(void **unused)
{
    (void)unused;
    FOR_QUIET_TABLES(table) {
        world w = make(world_desc(ARNN_CELL_LSTM, ARNN_WIRING_BEFORE), MANY);
        int status = status_of(many_steps, &w, 1);
        world_free(&w);
        assert_silent(status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocates_nothing), cmocka_unit_test(test_allocates_nothing_at_page_ends),
        cmocka_unit_test(test_counting_counts),   cmocka_unit_test(test_filter_kills),
        cmocka_unit_test(test_calls_no_system),   cmocka_unit_test(test_calls_no_system_at_page_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
