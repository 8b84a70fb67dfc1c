#include "attention/tape.h"

#include <assert.h>

/* ---- how many pages ---- */

/* The oldest row that the step which writes `row` may still read: in `before` it reads up to row - 1, and so may the
   caller who asks for its weights afterwards. */
static size_t oldest_kept(const arnn_page_shape *shape, size_t row)
{
    return shape->window && row > shape->window ? row - shape->window : 0;
}

/* Pages held while `row` is written. */
static size_t pages_at(const arnn_page_shape *shape, size_t row)
{
    size_t begin = oldest_kept(shape, row) / shape->rows, end = row / shape->rows + 1;
    size_t sinks = (shape->sinks + shape->rows - 1) / shape->rows;
    return end - begin + (sinks < begin ? sinks : begin);
}

/* The most pages held while rows first .. first+steps-1 are written. Within a page the number only falls; from the
   beginning of one page to that of the next it never does. So the first row decides, or the last that begins a page. */
static size_t pages_peak(const arnn_page_shape *shape, size_t first, size_t steps)
{
    if (steps == 0)
        return 0;
    size_t begins = (first + steps - 1) / shape->rows * shape->rows, peak = pages_at(shape, first);
    size_t later = begins > first ? pages_at(shape, begins) : 0;
    return later > peak ? later : peak;
}

size_t arnn_page_shape_pages(const arnn_page_shape *shape, size_t rows)
{
    return pages_peak(shape, 0, rows);
}

size_t arnn_tape_pages_needed(const arnn_tape *tape, const arnn_page_shape *shape, size_t steps)
{
    size_t peak = pages_peak(shape, tape->length, steps);
    return peak > tape->pages ? peak - tape->pages : 0;
}

/* ---- moving pages ---- */

static void push(arnn_page **list, arnn_page *page)
{
    page->next = *list;
    *list = page;
}

static arnn_page *pop(arnn_page **list)
{
    arnn_page *page = *list;
    *list = page->next;
    page->next = NULL;
    return page;
}

void arnn_tape_reserve(arnn_tape *tape, arnn_pool *pool, size_t steps)
{
    for (size_t pages = arnn_tape_pages_needed(tape, &pool->shape, steps); pages > 0; pages--)
        push(&tape->spare, arnn_pool_take(pool));
}

void arnn_tape_release(arnn_tape *tape, arnn_pool *pool)
{
    while (tape->spare)
        arnn_pool_give(pool, pop(&tape->spare));
}

/* Pages behind the window return to the spare ones, but those of the sinks stay. */
static void drop(arnn_tape *tape, const arnn_page_shape *shape)
{
    size_t kept = oldest_kept(shape, tape->length);
    for (;;) {
        arnn_page **link = tape->last_sink ? &tape->last_sink->next : &tape->oldest;
        arnn_page *page = *link;
        if (!page || (page->index + 1) * shape->rows > kept)
            return;
        if (page->index * shape->rows < shape->sinks) {
            tape->last_sink = page;
            continue;
        }
        pop(link);
        if (*link)
            (*link)->before = tape->last_sink;
        push(&tape->spare, page);
        tape->pages--;
    }
}

static void begin_page(arnn_tape *tape, size_t index)
{
    assert(tape->spare);
    arnn_page *page = pop(&tape->spare);
    page->index = index;
    page->before = tape->pages > 0 ? tape->newest : NULL;
    if (page->before)
        page->before->next = page;
    else
        tape->oldest = page;
    tape->newest = page;
    tape->pages++;
}

void arnn_tape_open(arnn_tape *tape, const arnn_page_shape *shape)
{
    drop(tape, shape);
    if (tape->length % shape->rows == 0)
        begin_page(tape, tape->length / shape->rows);
}

void arnn_tape_clear(arnn_tape *tape, arnn_pool *pool)
{
    while (tape->oldest)
        arnn_pool_give(pool, pop(&tape->oldest));
    *tape = (arnn_tape){0};
}

/* ---- writing rows ---- */

static bool holds_nan(const float *values, size_t count)
{
    bool found = false;
    for (size_t i = 0; i < count; i++)
        found |= values[i] != values[i];
    return found;
}

void arnn_tape_write(arnn_tape *tape, const arnn_page_shape *shape, const arnn_kernels *kernels, size_t layer,
                     size_t row, const float *h, const float *m, const float *key, size_t rows)
{
    arnn_tape_rows place = arnn_page_rows(tape->newest, shape, layer, row);
    kernels->encode[shape->h_type](place.h, h, rows * shape->hidden);
    if (place.m)
        kernels->encode[shape->m_type](place.m, m, rows * shape->hidden);
    if (place.key)
        kernels->encode[shape->key_type](place.key, key, rows * shape->align);
    if (shape->h_type == ARNN_TYPE_I8)
        tape->lost |= holds_nan(h, rows * shape->hidden);
}

/* ---- finding rows ---- */

arnn_tape_rows arnn_page_rows(const arnn_page *page, const arnn_page_shape *shape, size_t layer, size_t row)
{
    size_t within = row - page->index * shape->rows;
    unsigned char *h = page->bytes + layer * shape->layer_bytes;
    unsigned char *m = h + shape->m_offset, *key = h + shape->key_offset;
    return (arnn_tape_rows){
        .h = h + within * shape->hidden * arnn_element_of(shape->h_type)->bytes,
        .m = shape->memories ? m + within * shape->hidden * arnn_element_of(shape->m_type)->bytes : NULL,
        .key = shape->align ? key + within * shape->align * arnn_element_of(shape->key_type)->bytes : NULL,
        .first = row,
        .count = shape->rows - within,
    };
}

bool arnn_tape_find(const arnn_tape *tape, const arnn_page_shape *shape, size_t layer, size_t row,
                    arnn_tape_rows *found)
{
    size_t index = row / shape->rows;
    const arnn_page *page = tape->newest && tape->newest->index == index ? tape->newest : tape->oldest;
    while (page && page->index != index)
        page = page->next;
    if (page)
        *found = arnn_page_rows(page, shape, layer, row);
    return page != NULL;
}

arnn_span arnn_tape_span(const arnn_page_shape *shape, size_t rows)
{
    size_t first = shape->window && rows > shape->window ? rows - shape->window : 0;
    return (arnn_span){.sinks = shape->sinks < first ? shape->sinks : first, .first = first, .rows = rows};
}
