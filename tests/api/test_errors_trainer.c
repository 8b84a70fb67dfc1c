/* Every error of the trainer, and that nothing has changed after it. */
#include <math.h>

#include "lessons.h"

static void plain(lesson *l)
{
    lesson_make(l, ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER, ARNN_LOSS_CROSS_ENTROPY, ARNN_OVER_STEPS,
                ARNN_OPTIMISER_ADAM);
}

static void test_defaults(void **unused)
{
    (void)unused;
    arnn_trainer_desc desc;
    arnn_examples examples;
    arnn_training training;
    assert_error(ARNN_INVALID_ARGUMENT, "desc", arnn_trainer_desc_default(NULL, sizeof desc));
    assert_error(ARNN_INVALID_ARGUMENT, "struct_size", arnn_trainer_desc_default(&desc, 3));
    assert_error(ARNN_INVALID_ARGUMENT, "examples", arnn_examples_default(NULL, sizeof examples));
    assert_error(ARNN_INVALID_ARGUMENT, "struct_size", arnn_examples_default(&examples, 3));
    assert_error(ARNN_INVALID_ARGUMENT, "training", arnn_training_default(NULL, sizeof training));
    assert_error(ARNN_INVALID_ARGUMENT, "struct_size", arnn_training_default(&training, 3));
    assert_ok(arnn_training_default(&training, sizeof training));
    arnn_trainer_destroy(NULL);
    assert_null(arnn_trainer_gradient(NULL));
    assert_int_equal(arnn_trainer_updates(NULL), 0);
}

/* One field is wrong, the others are the defaults. */
#define assert_refused(word, field, value)                                                         \
    do {                                                                                           \
        arnn_trainer_desc wrong = l.desc;                                                          \
        wrong.field = (value);                                                                     \
        assert_error(ARNN_INVALID_ARGUMENT, word, arnn_trainer_create(&trainer, l.model, &wrong)); \
        assert_null(trainer);                                                                      \
    } while (0)

static void test_create(void **unused)
{
    (void)unused;
    lesson l;
    plain(&l);
    arnn_trainer *trainer = l.trainer;
    assert_error(ARNN_INVALID_ARGUMENT, "out", arnn_trainer_create(NULL, l.model, &l.desc));
    assert_error(ARNN_INVALID_ARGUMENT, "model", arnn_trainer_create(&trainer, NULL, &l.desc));
    assert_null(trainer);
    assert_refused("struct_size", struct_size, 7);
    assert_refused("loss is 2", loss, 2);
    assert_refused("over is -1", over, -1);
    assert_refused("optimiser is 3", optimiser, 3);
    assert_refused("threads is 0", threads, 0);
    assert_refused("reserved is 1", reserved, 1);
    assert_refused("momentum is 1", momentum, 1.0f);
    assert_refused("second_momentum", second_momentum, NAN);
    assert_refused("epsilon is 0", epsilon, 0.0f);
    assert_refused("weight_decay", weight_decay, -0.1f);
    assert_refused("clip", clip, INFINITY);
    assert_refused("dropout is 1", dropout, 1.0f);
    assert_refused("readout_dropout", readout_dropout, -1.0f);
    assert_refused("0 streams", streams, 0);
    assert_refused("of 0 steps", steps, 0);
    assert_ok(arnn_trainer_create(&trainer, l.model, NULL));
    arnn_trainer_destroy(trainer);
    lesson_free(&l);
}

/* Changes one field of the examples; every call that takes examples refuses them, and changes nothing. */
static void refuse(lesson *l, arnn_status status, const char *word, const arnn_examples *wrong)
{
    size_t bytes;
    arnn_training training = {.struct_size = sizeof training, .loss = 77.0};
    char *before = lesson_picture(l, &bytes);
    assert_error(status, word, arnn_trainer_step(l->trainer, &training, wrong, 0.1f));
    assert_error(status, word, arnn_trainer_gradients(l->trainer, &training, wrong));
    assert_error(status, word, arnn_trainer_evaluate(l->trainer, &training, wrong));
    assert_true(training.loss == 77.0);
    lesson_unchanged(l, before, bytes);
}

static void test_examples(void **unused)
{
    (void)unused;
    lesson l;
    plain(&l);
    const arnn_examples right = l.examples;
    const size_t lengths[STREAMS] = {STEPS, STEPS + 1};
    const float weights[][STREAMS] = {{1.0f, -1.0f}, {NAN, 1.0f}, {1.0f, INFINITY}, {0.0f, 0.0f}};
    const int32_t tokens[STEPS * STREAMS] = {0};
    arnn_examples wrong;
#define WRONG(status, word, ...)              \
    do {                                      \
        wrong = right;                        \
        __VA_ARGS__;                          \
        refuse(&l, (status), (word), &wrong); \
    } while (0)
    WRONG(ARNN_INVALID_ARGUMENT, "struct_size", wrong.struct_size = 9);
    WRONG(ARNN_INVALID_ARGUMENT, "dense input", wrong.x = NULL);
    WRONG(ARNN_INVALID_ARGUMENT, "dense input", wrong.tokens = tokens);
    WRONG(ARNN_INVALID_ARGUMENT, "labels", wrong.labels = NULL);
    WRONG(ARNN_INVALID_ARGUMENT, "labels", wrong.values = l.values);
    WRONG(ARNN_INVALID_ARGUMENT, "carry is 2", wrong.carry = 2);
    WRONG(ARNN_INVALID_ARGUMENT, "reserved 1", wrong.reserved = 1);
    WRONG(ARNN_INVALID_ARGUMENT, "0 streams", wrong.count = 0);
    WRONG(ARNN_INVALID_ARGUMENT, "of 0 steps", wrong.steps = 0);
    WRONG(ARNN_SHAPE, "lengths[1] is 5", wrong.lengths = lengths);
    WRONG(ARNN_SHAPE, "input", wrong.time_stride = SIZE_MAX / 2);
    WRONG(ARNN_SHAPE, "wanted", wrong.wanted_time_stride = SIZE_MAX / 2);
    WRONG(ARNN_SHAPE, "wanted", wrong.wanted_stream_stride = SIZE_MAX / 2);
    WRONG(ARNN_INVALID_ARGUMENT, "weights[1] is -1", wrong.weights = weights[0]);
    WRONG(ARNN_INVALID_ARGUMENT, "weights[0]", wrong.weights = weights[1]);
    WRONG(ARNN_INVALID_ARGUMENT, "weights[1]", wrong.weights = weights[2]);
    WRONG(ARNN_INVALID_ARGUMENT, "nothing to learn", wrong.weights = weights[3]);
    l.labels[3] = OUTPUTS;
    WRONG(ARNN_INVALID_ARGUMENT, "label 3 at time 1 of stream 1", (void)0);
    for (size_t i = 0; i < COUNT(l.labels); i++)
        l.labels[i] = -100;
    WRONG(ARNN_INVALID_ARGUMENT, "nothing to learn", (void)0);
#undef WRONG
    lesson_free(&l);
}

static void test_room(void **unused)
{
    (void)unused;
    lesson l;
    plain(&l);
    arnn_training training = {.struct_size = sizeof training};
    float x[2 * STEPS * 2 * STREAMS * WORLD_INPUTS] = {0};
    int32_t labels[2 * STEPS * 2 * STREAMS] = {0};
    arnn_examples many = l.examples;
    many.x = x;
    many.labels = labels;
    many.steps = 2 * STEPS;
    assert_error(ARNN_SHAPE, "room for 2 of 4", arnn_trainer_step(l.trainer, NULL, &many, 0.1f));
    assert_ok(arnn_trainer_evaluate(l.trainer, &training, &many)); /* which takes any number */
    many.steps = 1;
    many.count = 2 * STREAMS;
    assert_error(ARNN_SHAPE, "4 streams", arnn_trainer_gradients(l.trainer, NULL, &many));
    assert_ok(arnn_trainer_evaluate(l.trainer, &training, &many));
    assert_ok(arnn_trainer_step(l.trainer, NULL, &l.examples, 0.1f));
    l.examples.carry = 1;
    assert_error(ARNN_FULL, "", arnn_trainer_step(l.trainer, NULL, &l.examples, 0.1f)); /* past is 0 */
    l.examples.carry = 0;
    assert_ok(arnn_trainer_step(l.trainer, NULL, &l.examples, 0.1f));
    lesson_free(&l);
}

static void test_arguments(void **unused)
{
    (void)unused;
    lesson l;
    plain(&l);
    arnn_training training = {.struct_size = 5};
    assert_error(ARNN_INVALID_ARGUMENT, "trainer", arnn_trainer_step(NULL, NULL, &l.examples, 0.1f));
    assert_error(ARNN_INVALID_ARGUMENT, "examples", arnn_trainer_step(l.trainer, NULL, NULL, 0.1f));
    assert_error(ARNN_INVALID_ARGUMENT, "struct_size", arnn_trainer_step(l.trainer, &training, &l.examples, 0.1f));
    assert_error(ARNN_INVALID_ARGUMENT, "rate is -1", arnn_trainer_step(l.trainer, NULL, &l.examples, -1.0f));
    assert_error(ARNN_INVALID_ARGUMENT, "rate", arnn_trainer_step(l.trainer, NULL, &l.examples, NAN));
    assert_error(ARNN_INVALID_ARGUMENT, "rate", arnn_trainer_step(l.trainer, NULL, &l.examples, INFINITY));
    assert_error(ARNN_INVALID_ARGUMENT, "trainer", arnn_trainer_gradients(NULL, NULL, &l.examples));
    assert_error(ARNN_INVALID_ARGUMENT, "examples", arnn_trainer_gradients(l.trainer, NULL, NULL));
    assert_error(ARNN_INVALID_ARGUMENT, "struct_size", arnn_trainer_gradients(l.trainer, &training, &l.examples));
    assert_error(ARNN_INVALID_ARGUMENT, "trainer", arnn_trainer_update(NULL, NULL, 0.1f));
    assert_error(ARNN_INVALID_ARGUMENT, "rate", arnn_trainer_update(l.trainer, NULL, -1.0f));
    assert_error(ARNN_UNSUPPORTED, "no gradient", arnn_trainer_update(l.trainer, NULL, 0.1f));
    assert_error(ARNN_INVALID_ARGUMENT, "trainer", arnn_trainer_evaluate(NULL, &training, &l.examples));
    assert_error(ARNN_INVALID_ARGUMENT, "training", arnn_trainer_evaluate(l.trainer, NULL, &l.examples));
    assert_error(ARNN_INVALID_ARGUMENT, "struct_size", arnn_trainer_evaluate(l.trainer, &training, &l.examples));
    assert_ok(arnn_trainer_gradients(l.trainer, NULL, &l.examples));
    assert_ok(arnn_trainer_update(l.trainer, NULL, 0.1f));
    assert_error(ARNN_UNSUPPORTED, "since update 1", arnn_trainer_update(l.trainer, NULL, 0.1f));
    lesson_free(&l);
}

static void test_busy(void **unused)
{
    (void)unused;
    lesson l;
    plain(&l);
    size_t bytes;
    arnn_cache *cache;
    arnn_state *state;
    assert_ok(arnn_trainer_gradients(l.trainer, NULL, &l.examples));
    char *before = lesson_picture(&l, &bytes);
    assert_ok(arnn_cache_create(&cache, l.model, NULL));
    assert_ok(arnn_state_create(&state, l.model, cache, 1));
    assert_error(ARNN_BUSY, "1 state", arnn_trainer_update(l.trainer, NULL, 0.1f));
    assert_error(ARNN_BUSY, "1 state", arnn_trainer_step(l.trainer, NULL, &l.examples, 0.1f));
    lesson_unchanged(&l, before, bytes);
    arnn_state_destroy(state);
    arnn_cache_destroy(cache);
    assert_ok(arnn_trainer_update(l.trainer, NULL, 0.1f)); /* the gradient is still there */
    lesson_free(&l);
}

/* What is not finite is reported by name, before anything is updated; then training goes on. */
/* h is 0 and every output as likely, but what h is owed is beyond float32. */
static void test_gradient_overflows(void **unused)
{
    (void)unused;
    arnn_model_desc desc = world_desc(ARNN_CELL_RNN_TANH, ARNN_WIRING_AFTER);
    desc.outputs = 3;
    arnn_trainer_desc how;
    arnn_model *model;
    arnn_trainer *trainer;
    arnn_training told = {.struct_size = sizeof told};
    float *x = calloc(desc.inputs, sizeof *x), *weights = calloc(3 * desc.hidden, sizeof *weights);
    const int32_t label = 0;
    for (size_t i = 0; i < 3 * desc.hidden; i++)
        weights[i] = i < desc.hidden ? 3e38f : -3e38f;
    arnn_trainer_desc_default(&how, sizeof how);
    how.streams = how.steps = 1;
    assert_ok(arnn_model_create(&model, &desc)); /* all parameters are 0 */
    assert_ok(arnn_model_write(model, "readout.weight", weights, 3 * desc.hidden));
    assert_ok(arnn_trainer_create(&trainer, model, &how));
    const arnn_examples examples = {.struct_size = sizeof examples, .x = x, .labels = &label, .steps = 1, .count = 1};
    assert_ok(arnn_trainer_evaluate(trainer, &told, &examples));
    assert_true(told.loss > 1.09 && told.loss < 1.11); /* log 3 */
    assert_error(ARNN_INVALID_ARGUMENT, "gradient of weight_ih_l0", arnn_trainer_step(trainer, NULL, &examples, 0.1f));
    float *after = calloc(3 * desc.hidden, sizeof *after);
    assert_ok(arnn_model_read(model, after, "readout.weight", 3 * desc.hidden));
    assert_memory_equal(after, weights, 3 * desc.hidden * sizeof *after);
    arnn_trainer_destroy(trainer);
    arnn_model_destroy(model);
    free(x);
    free(weights);
    free(after);
}

static void test_not_finite(void **unused)
{
    (void)unused;
    lesson l;
    plain(&l);
    size_t bytes;
    float key[WORLD_WIDTH * WORLD_WIDTH], spoilt[WORLD_WIDTH * WORLD_WIDTH], kept = l.x[5];
    assert_ok(arnn_model_read(l.model, key, "attn_key_l0", COUNT(key)));
    memcpy(spoilt, key, sizeof key);
    spoilt[3] = NAN;
    assert_ok(arnn_model_write(l.model, "attn_key_l0", spoilt, COUNT(key)));
    char *before = lesson_picture(&l, &bytes);
    assert_error(ARNN_INVALID_ARGUMENT, "attn_key_l0 is not finite",
                 arnn_trainer_step(l.trainer, NULL, &l.examples, 0.1f));
    lesson_unchanged(&l, before, bytes);
    assert_ok(arnn_model_write(l.model, "attn_key_l0", key, COUNT(key)));
    before = lesson_picture(&l, &bytes);
    l.x[5] = NAN;
    assert_error(ARNN_INVALID_ARGUMENT, "the loss is", arnn_trainer_step(l.trainer, NULL, &l.examples, 0.1f));
    l.x[5] = kept;
    assert_ok(arnn_trainer_gradients(l.trainer, NULL, &l.examples));
    arnn_trainer_gradient(l.trainer)[0] = INFINITY; /* weight_ih_l0 is the first */
    assert_error(ARNN_INVALID_ARGUMENT, "gradient of weight_ih_l0", arnn_trainer_update(l.trainer, NULL, 0.1f));
    lesson_unchanged(&l, before, bytes);
    assert_ok(arnn_trainer_step(l.trainer, NULL, &l.examples, 0.1f));
    lesson_free(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),   cmocka_unit_test(test_create),
        cmocka_unit_test(test_examples),   cmocka_unit_test(test_room),
        cmocka_unit_test(test_arguments),  cmocka_unit_test(test_busy),
        cmocka_unit_test(test_not_finite), cmocka_unit_test(test_gradient_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
