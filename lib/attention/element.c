#include "attention/element.h"

static const arnn_element elements[] = {
    [ARNN_TYPE_F32] = {.name = "float32", .bytes = 4},
};

const arnn_element *arnn_element_of(int32_t type)
{
    return &elements[type];
}

arnn_status arnn_element_check(const char *argument, int32_t type)
{
    const int32_t count = (int32_t)(sizeof elements / sizeof *elements);
    if (type < 0 || type >= count)
        return arnn_error(ARNN_INVALID_ARGUMENT, "%s is %d, expected 0 to %d", argument, (int)type, (int)count - 1);
    return ARNN_OK;
}
