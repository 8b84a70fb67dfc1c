/* Checkpoints: every error of loading one, and that a killed program leaves a whole file. */
#include <dirent.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lessons.h"

static char folder[] = "arnn_test_XXXXXX";

static int enter(void **unused)
{
    (void)unused;
    return !mkdtemp(folder) || chdir(folder) != 0;
}

static int leave(void **unused)
{
    (void)unused;
    char command[64];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("..") != 0 || system(command) != 0;
}

static void make(lesson *l, int32_t optimiser)
{
    lesson_make(l, ARNN_CELL_GRU, ARNN_WIRING_BESIDE, ARNN_LOSS_SQUARED_ERROR, ARNN_OVER_MEAN, optimiser);
}

static char *contents(const char *path, size_t *bytes)
{
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    char *data = malloc((size_t)about.st_size + 1);
    FILE *file = fopen(path, "rb");
    assert_true(data && file);
    *bytes = fread(data, 1, (size_t)about.st_size, file);
    assert_int_equal(fclose(file), 0);
    data[*bytes] = '\0';
    return data;
}

static void put(const char *path, const char *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, bytes, file), bytes);
    assert_int_equal(fclose(file), 0);
}

/* The checkpoint with one word of its header replaced by another of the same length is refused. */
static void refuse_word(lesson *l, arnn_status status, const char *word, const char *from, const char *to)
{
    size_t bytes, picture_bytes;
    char *before = lesson_picture(l, &picture_bytes), *data = contents("good", &bytes);
    char *at = NULL;
    for (size_t i = 8; i + strlen(from) < bytes && !at; i++)
        at = memcmp(data + i, from, strlen(from)) == 0 ? data + i : NULL;
    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    put("bad", data, bytes);
    assert_error(status, word, arnn_trainer_load(l->trainer, "bad"));
    lesson_unchanged(l, before, picture_bytes);
    free(data);
}

static void test_errors(void **unused)
{
    (void)unused;
    lesson l, other;
    make(&l, ARNN_OPTIMISER_ADAM);
    make(&other, ARNN_OPTIMISER_SGD);
    assert_ok(arnn_trainer_step(l.trainer, NULL, &l.examples, 0.1f));
    assert_error(ARNN_INVALID_ARGUMENT, "trainer", arnn_trainer_save(NULL, "good"));
    assert_error(ARNN_INVALID_ARGUMENT, "path", arnn_trainer_save(l.trainer, NULL));
    assert_error(ARNN_INVALID_ARGUMENT, "trainer", arnn_trainer_load(NULL, "good"));
    assert_error(ARNN_INVALID_ARGUMENT, "path", arnn_trainer_load(l.trainer, NULL));
    assert_error(ARNN_IO, "no/such", arnn_trainer_save(l.trainer, "no/such/folder"));
    assert_error(ARNN_IO, "missing", arnn_trainer_load(l.trainer, "missing"));
    assert_ok(arnn_trainer_save(l.trainer, "good"));
    assert_error(ARNN_INVALID_ARGUMENT, "adam", arnn_trainer_load(other.trainer, "good"));
    assert_ok(arnn_model_save(l.model, "model"));
    assert_error(ARNN_FORMAT, "no checkpoint", arnn_trainer_load(l.trainer, "model"));
    refuse_word(&l, ARNN_INVALID_ARGUMENT, "hidden is 6", "\"arnn.hidden\":\"5\"", "\"arnn.hidden\":\"6\"");
    refuse_word(&l, ARNN_FORMAT, "trainer.updates", "\"trainer.updates\":\"1\"", "\"trainer.updates\":\"x\"");
    refuse_word(&l, ARNN_FORMAT, "trainer.seed", "\"trainer.seed\":\"0\"", "\"trainer.seed\":\"-\"");
    refuse_word(&l, ARNN_FORMAT, "trainer.optimiser", "trainer.optimiser", "trainer.optimizer");
    refuse_word(&l, ARNN_NOT_FOUND, "first.bias_hh_l0", "first.bias_hh_l0", "first.bias_hh_l9");
    refuse_word(&l, ARNN_SHAPE, "second.weight_hh_l0", "\"second.weight_hh_l0\":{\"dtype\":\"F32\",\"shape\":[15,5]",
                "\"second.weight_hh_l0\":{\"dtype\":\"F32\",\"shape\":[5,15]");
    refuse_word(&l, ARNN_FORMAT, "I32", "\"second.weight_hh_l0\":{\"dtype\":\"F32\"",
                "\"second.weight_hh_l0\":{\"dtype\":\"I32\"");
    arnn_state *state;
    arnn_cache *cache;
    assert_ok(arnn_cache_create(&cache, l.model, NULL));
    assert_ok(arnn_state_create(&state, l.model, cache, 1));
    assert_error(ARNN_BUSY, "1 state", arnn_trainer_load(l.trainer, "good"));
    arnn_state_destroy(state);
    arnn_cache_destroy(cache);
    assert_ok(arnn_trainer_load(l.trainer, "good"));
    assert_int_equal(arnn_trainer_updates(l.trainer), 1);
    lesson_free(&l);
    lesson_free(&other);
}

/* A gradient made before loading is not one of the loaded model. */
static void test_gradient_is_forgotten(void **unused)
{
    (void)unused;
    lesson l;
    make(&l, ARNN_OPTIMISER_ADAMW);
    assert_ok(arnn_trainer_save(l.trainer, "good"));
    assert_ok(arnn_trainer_gradients(l.trainer, NULL, &l.examples));
    assert_ok(arnn_trainer_load(l.trainer, "good"));
    assert_error(ARNN_UNSUPPORTED, "no gradient", arnn_trainer_update(l.trainer, NULL, 0.1f));
    lesson_free(&l);
}

/* Saves the one, then the other, and so on until it is killed. */
static void save_for_ever(lesson *one, lesson *other)
{
    for (;;) {
        if (arnn_trainer_save(one->trainer, "checkpoint") || arnn_trainer_save(other->trainer, "checkpoint"))
            _exit(1);
    }
}

static void assert_one_of(const char *one, size_t one_bytes, const char *other, size_t other_bytes)
{
    size_t bytes;
    char *now = contents("checkpoint", &bytes);
    bool is_one = bytes == one_bytes && memcmp(now, one, bytes) == 0;
    bool is_other = bytes == other_bytes && memcmp(now, other, bytes) == 0;
    assert_true(is_one || is_other);
    free(now);
}

/* Whether somebody was killed in the middle of a save, and left what it had written so far; which goes. */
static bool take_rest(void)
{
    DIR *here = opendir(".");
    bool found = false;
    assert_non_null(here);
    for (const struct dirent *entry; (entry = readdir(here)) != NULL;) {
        if (strstr(entry->d_name, ".tmp")) {
            found = true;
            assert_int_equal(unlink(entry->d_name), 0);
        }
    }
    closedir(here);
    return found;
}

static void test_kill(void **unused)
{
    (void)unused;
    int rests = 0;
    lesson one, other, reader;
    make(&one, ARNN_OPTIMISER_ADAM);
    make(&other, ARNN_OPTIMISER_ADAM);
    make(&reader, ARNN_OPTIMISER_ADAM);
    for (int i = 0; i < 12; i++) /* so that the numbers of updates, too, differ in length */
        assert_ok(arnn_trainer_step(other.trainer, NULL, &other.examples, 0.1f));
    size_t one_bytes, other_bytes;
    assert_ok(arnn_trainer_save(other.trainer, "checkpoint"));
    char *other_data = contents("checkpoint", &other_bytes);
    assert_ok(arnn_trainer_save(one.trainer, "checkpoint"));
    char *one_data = contents("checkpoint", &one_bytes);
    for (unsigned i = 0; i < 100; i++) {
        int status;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            save_for_ever(&one, &other);
        const struct timespec wait = {.tv_nsec =
                                          200000 + (long)(i * 7919 % 100) * 37000}; /* in the middle of something */
        nanosleep(&wait, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        assert_one_of(one_data, one_bytes, other_data, other_bytes);
        assert_ok(arnn_trainer_load(reader.trainer, "checkpoint"));
        rests += take_rest();
    }
    assert_true(rests > 10);
    free(one_data);
    free(other_data);
    lesson_free(&one);
    lesson_free(&other);
    lesson_free(&reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_gradient_is_forgotten),
        cmocka_unit_test(test_kill),
    };
    return cmocka_run_group_tests(tests, enter, leave);
}
