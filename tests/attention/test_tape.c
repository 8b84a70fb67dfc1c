/* Tapes: what pages they take, what they keep, and where their rows stand, over random windows, sinks and lengths. */
#include "kernels.h"

#include "attention/tape.h"

enum { HIDDEN = 3, ALIGN = 2, LAYERS = 2 };

/* Small pages, so that there are many. */
static arnn_page_shape shape_of(size_t rows, size_t window, size_t sinks, bool memories, bool keys)
{
    arnn_page_shape shape = {.layers = LAYERS, .hidden = HIDDEN, .align = keys ? ALIGN : 0, .memories = memories};
    shape.rows = rows;
    shape.window = window;
    shape.sinks = sinks;
    assert_true(arnn_page_shape_complete(&shape));
    return shape;
}

/* What float `i` of part `part` (h, m, key) of a row holds. */
static float content(size_t stream, size_t layer, size_t row, size_t part, size_t i)
{
    return (float)((((stream * LAYERS + layer) * 3 + part) * 5 + i) * 10000 + row);
}

static void each_float(const arnn_tape_rows *at, size_t stream, size_t layer, size_t row, bool write)
{
    float *const parts[] = {at->h, at->m, at->key};
    const size_t widths[] = {HIDDEN, HIDDEN, ALIGN};
    for (size_t part = 0; part < COUNT(parts); part++) {
        for (size_t i = 0; parts[part] && i < widths[part]; i++) {
            if (write)
                parts[part][i] = content(stream, layer, row, part, i);
            else
                assert_true(parts[part][i] == content(stream, layer, row, part, i));
        }
    }
}

static void write_row(arnn_tape *tape, const arnn_page_shape *shape, size_t stream)
{
    for (size_t layer = 0; layer < LAYERS; layer++) {
        arnn_tape_rows at = arnn_page_rows(tape->newest, shape, layer, tape->length);
        each_float(&at, stream, layer, tape->length, true);
    }
    tape->length++;
}

static bool holds(const arnn_tape *tape, size_t row, size_t rows)
{
    for (const arnn_page *page = tape->oldest; page; page = page->next) {
        if (page->index == row / rows)
            return true;
    }
    return false;
}

static void check_row(const arnn_tape *tape, const arnn_page_shape *shape, size_t stream, size_t row)
{
    for (size_t layer = 0; layer < LAYERS; layer++) {
        arnn_tape_rows found;
        assert_true(arnn_tape_find(tape, shape, layer, row, &found));
        assert_int_equal(found.first, row);
        assert_int_equal(found.count, shape->rows - row % shape->rows);
        assert_int_equal(found.m != NULL, shape->memories);
        assert_int_equal(found.key != NULL, shape->align > 0);
        each_float(&found, stream, layer, row, false);
    }
}

/* Rows that may be read when `rows` are on the tape, by the rule's own words. */
static bool is_read(const arnn_page_shape *shape, size_t rows, size_t row)
{
    return row < rows && (shape->window == 0 || row + shape->window >= rows || row < shape->sinks);
}

static void check_span(const arnn_page_shape *shape, size_t rows)
{
    arnn_span span = arnn_tape_span(shape, rows);
    assert_int_equal(span.rows, rows);
    assert_true(span.sinks <= span.first && span.first <= rows);
    for (size_t row = 0; row < rows + 3; row++)
        assert_int_equal(is_read(shape, rows, row), row < span.sinks || (row >= span.first && row < rows));
}

/* After a row was written: all that this step or the next reads, `before` and after writing, is there and intact. */
static void check_tape(const arnn_tape *tape, const arnn_page_shape *shape, size_t stream)
{
    size_t pages = 0, last = 0;
    const arnn_page *before = NULL;
    for (const arnn_page *page = tape->oldest; page; page = page->next) {
        assert_true(pages == 0 || page->index > last);
        assert_ptr_equal(page->before, before);
        before = page;
        last = page->index;
        pages++;
    }
    assert_ptr_equal(tape->newest, before);
    assert_int_equal(pages, tape->pages);
    assert_true(pages <= arnn_page_shape_pages(shape, tape->length));
    arnn_tape_rows none;
    for (size_t row = 0; row < tape->length; row++) {
        if (is_read(shape, tape->length, row) || is_read(shape, tape->length - 1, row))
            check_row(tape, shape, stream, row);
        if (!holds(tape, row, shape->rows))
            assert_false(arnn_tape_find(tape, shape, 0, row, &none));
    }
    assert_false(arnn_tape_find(tape, shape, 0, (tape->length + shape->rows - 1) / shape->rows * shape->rows, &none));
}

/* `steps` steps, for which exactly the pages that were said to be needed are provided. */
static void make_steps(arnn_pool *pool, arnn_tape *tape, size_t stream, size_t steps)
{
    size_t needed = arnn_tape_pages_needed(tape, &pool->shape, steps), before = tape->pages, most = 0;
    assert_ok(arnn_pool_provide_unused(pool, needed));
    size_t unused = pool->unused;
    arnn_tape_reserve(tape, pool, steps);
    assert_int_equal(unused - pool->unused, needed);
    for (size_t step = 0; step < steps; step++) {
        arnn_tape_open(tape, &pool->shape);
        write_row(tape, &pool->shape, stream);
        check_tape(tape, &pool->shape, stream);
        most = tape->pages > most ? tape->pages : most;
    }
    assert_true(steps == 0 || most <= before + needed);
    assert_true(needed == 0 || most == before + needed); /* no page was asked for in vain */
    arnn_tape_release(tape, pool);
    assert_null(tape->spare);
}

static void check_random_tapes(rng *r, size_t most)
{
    enum { STREAMS = 3 };
    size_t window = rng_below(r, 4) ? 1 + rng_below(r, 20) : 0, sinks = window ? rng_below(r, 3) * rng_below(r, 7) : 0;
    arnn_page_shape shape = shape_of(1 + rng_below(r, 6), window, sinks, rng_below(r, 2), rng_below(r, 2));
    arnn_pool pool;
    arnn_tape tapes[STREAMS] = {0};
    arnn_pool_create(&pool, &shape, SIZE_MAX);
    for (size_t round = 0; round < 20; round++) {
        size_t stream = rng_below(r, STREAMS);
        if (rng_below(r, 12) == 0) {
            arnn_tape_clear(&tapes[stream], &pool);
            assert_true(tapes[stream].length == 0 && tapes[stream].pages == 0 && !tapes[stream].oldest);
            continue;
        }
        make_steps(&pool, &tapes[stream], stream, rng_below(r, most));
        size_t held = 0;
        for (size_t i = 0; i < STREAMS; i++)
            held += tapes[i].pages;
        assert_int_equal(pool.made - pool.unused, held);
        for (size_t i = 0; i < STREAMS; i++) { /* no other stream's rows were touched */
            if (tapes[i].length)
                check_tape(&tapes[i], &shape, i);
        }
    }
    for (size_t i = 0; i < STREAMS; i++) {
        assert_true(tapes[i].pages <= arnn_page_shape_pages(&shape, tapes[i].length));
        arnn_tape_clear(&tapes[i], &pool);
    }
    assert_int_equal(pool.made, pool.unused);
    arnn_pool_destroy(&pool);
}

static void test_random_tapes(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 120; i++)
        check_random_tapes(&r, i % 3 ? 4 : 25);
}

/* The room that arnn_page_shape_pages states for a length suffices on the whole way, one step at a time or all at
   once, and no less would: it is the most that is ever held. */
static void test_room(void **unused)
{
    (void)unused;
    rng r = RNG;
    for (size_t i = 0; i < 150; i++) {
        size_t window = i % 5 ? 1 + rng_below(&r, 20) : 0, sinks = window ? rng_below(&r, 15) : 0, most = 0;
        arnn_page_shape shape = shape_of(1 + rng_below(&r, 6), window, sinks, false, false);
        arnn_tape tape = {0};
        arnn_pool pool;
        arnn_pool_create(&pool, &shape, SIZE_MAX);
        assert_int_equal(arnn_page_shape_pages(&shape, 0), 0);
        for (size_t length = 1; length < 90; length++) {
            make_steps(&pool, &tape, 0, 1);
            most = tape.pages > most ? tape.pages : most;
            const arnn_tape fresh = {0};
            assert_int_equal(arnn_page_shape_pages(&shape, length), most);
            assert_int_equal(arnn_tape_pages_needed(&fresh, &shape, length), most);
        }
        arnn_tape_clear(&tape, &pool);
        arnn_pool_destroy(&pool);
    }
}

/* With a window, room does not grow with the length, however long; without, lengths near the end of size_t are
   counted. */
static void test_far_lengths(void **unused)
{
    (void)unused;
    arnn_page_shape windowed = shape_of(4, 10, 3, false, false), whole = shape_of(4, 0, 0, false, false);
    assert_int_equal(arnn_page_shape_pages(&windowed, SIZE_MAX), arnn_page_shape_pages(&windowed, 1000));
    assert_true(arnn_page_shape_pages(&windowed, SIZE_MAX) <= 6);
    assert_int_equal(arnn_page_shape_pages(&whole, SIZE_MAX), SIZE_MAX / 4 + 1);
    assert_int_equal(arnn_page_shape_pages(&whole, 400), 100);
    assert_int_equal(arnn_page_shape_pages(&whole, 401), 101);
}

static void test_spans(void **unused)
{
    (void)unused;
    for (size_t window = 0; window < 9; window++) {
        for (size_t sinks = 0; sinks < (window ? 9 : 1); sinks++) {
            arnn_page_shape shape = shape_of(4, window, sinks, false, false);
            for (size_t rows = 0; rows < 25; rows++)
                check_span(&shape, rows);
        }
    }
    arnn_page_shape shape = shape_of(4, 3, 0, false, false);
    assert_int_equal(arnn_tape_span(&shape, SIZE_MAX).first, SIZE_MAX - 3);
}

/* A page that was left behind is used again: a stream in a window needs no new one. */
static void test_recycling(void **unused)
{
    (void)unused;
    arnn_page_shape shape = shape_of(4, 8, 5, true, true);
    arnn_tape tape = {0};
    arnn_pool pool;
    size_t room = arnn_page_shape_pages(&shape, SIZE_MAX);
    arnn_pool_create(&pool, &shape, room); /* the limit: more would be an error */
    for (size_t step = 0; step < 500; step++)
        make_steps(&pool, &tape, 0, 1 + step % 3);
    make_steps(&pool, &tape, 0, 300);
    assert_int_equal(pool.made, room);
    arnn_tape_clear(&tape, &pool);
    arnn_pool_destroy(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_tapes), cmocka_unit_test(test_room),      cmocka_unit_test(test_far_lengths),
        cmocka_unit_test(test_spans),        cmocka_unit_test(test_recycling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
