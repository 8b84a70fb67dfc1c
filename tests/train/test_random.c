/* Random numbers by counter, and the masks of dropout made from them. */
#include <math.h>

#include "check.h"
#include "train/counter.h"
#include "train/mask.h"

/* The known answers of philox4x32-10 that its authors publish. */
static void test_known_answers(void **unused)
{
    (void)unused;
    static const struct {
        arnn_counter counter;
        uint32_t words[4];
    } known[] = {
        {{{0, 0}, {0, 0, 0, 0}}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{{~0u, ~0u}, {~0u, ~0u, ~0u, ~0u}}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{{0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        uint32_t words[4];
        arnn_counter_words(words, &known[i].counter);
        assert_memory_equal(words, known[i].words, sizeof words);
    }
}

enum { WIDTH = 103 };

static void mask(float *row, const arnn_mask *how, size_t place, size_t time, size_t stream)
{
    for (size_t i = 0; i < WIDTH; i++)
        row[i] = 1.0f;
    arnn_mask_row(row, row, how, place, time, stream, WIDTH);
}

/* Of many numbers, the share dropped is the rate, within five standard deviations; the others are scaled. */
static void test_rate(void **unused)
{
    (void)unused;
    static const float rates[] = {0.0f, 0.01f, 0.25f, 0.5f, 0.9f};
    for (size_t r = 0; r < COUNT(rates); r++) {
        const arnn_mask how = {.rate = rates[r], .seed = 5, .update = 3};
        size_t dropped = 0, count = 0;
        double rate = (double)rates[r];
        for (size_t time = 0; time < 400; time++) {
            float row[WIDTH];
            mask(row, &how, 0, time, 2);
            for (size_t i = 0; i < WIDTH; i++, count++) {
                assert_true(row[i] == 0.0f || row[i] == 1.0f / (1.0f - rates[r]));
                dropped += row[i] == 0.0f;
            }
        }
        double deviation = sqrt((double)count * rate * (1.0 - rate));
        assert_true(fabs((double)dropped - rate * (double)count) <= 5.0 * deviation);
    }
}

/* How many of the numbers of two masks agree: of independent ones about half. */
static size_t agree(const arnn_mask *a, size_t a_place, size_t a_time, size_t a_stream, const arnn_mask *b,
                    size_t place, size_t time, size_t stream)
{
    size_t same = 0;
    float one[WIDTH], other[WIDTH];
    mask(one, a, a_place, a_time, a_stream);
    mask(other, b, place, time, stream);
    for (size_t i = 0; i < WIDTH; i++)
        same += (one[i] == 0.0f) == (other[i] == 0.0f);
    return same;
}

static void assert_apart(size_t same)
{
    assert_true(same > WIDTH / 4 && same < WIDTH * 3 / 4);
}

static void test_place_decides(void **unused)
{
    (void)unused;
    const arnn_mask how = {.rate = 0.5f, .seed = 1, .update = 7};
    const arnn_mask seed = {.rate = 0.5f, .seed = UINT64_C(1) << 32 | 1, .update = 7};
    const arnn_mask update = {.rate = 0.5f, .seed = 1, .update = 8};
    assert_int_equal(agree(&how, 1, 2, 3, &how, 1, 2, 3), WIDTH);
    assert_apart(agree(&how, 1, 2, 3, &seed, 1, 2, 3));
    assert_apart(agree(&how, 1, 2, 3, &update, 1, 2, 3));
    assert_apart(agree(&how, 1, 2, 3, &how, 2, 2, 3));
    assert_apart(agree(&how, 1, 2, 3, &how, 1, 3, 3));
    assert_apart(agree(&how, 1, 2, 3, &how, 1, 2, 4));
}

/* The first numbers of a wider row are those of a narrower one; a rate of 0 copies. */
static void test_width(void **unused)
{
    (void)unused;
    const arnn_mask how = {.rate = 0.3f, .seed = 9}, none = {.rate = 0.0f};
    float wide[WIDTH], narrow[WIDTH], in[WIDTH];
    for (size_t i = 0; i < WIDTH; i++)
        in[i] = (float)i + 0.5f;
    arnn_mask_row(wide, in, &how, 0, 0, 0, WIDTH);
    for (size_t width = 0; width < WIDTH; width++) {
        narrow[width] = 77.0f;
        arnn_mask_row(narrow, in, &how, 0, 0, 0, width);
        assert_memory_equal(narrow, wide, width * sizeof *narrow);
        assert_true(narrow[width] == 77.0f);
    }
    arnn_mask_row(narrow, in, &none, 0, 0, 0, WIDTH);
    assert_memory_equal(narrow, in, sizeof in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answers),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_place_decides),
        cmocka_unit_test(test_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
