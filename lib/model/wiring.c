#include "model/wiring.h"

const arnn_wiring *arnn_wiring_of(const arnn_model_desc *desc)
{
    static const arnn_wiring wirings[] = {
        [ARNN_WIRING_NONE] = {0},
        [ARNN_WIRING_AFTER] = {.reads_last = true},
        [ARNN_WIRING_BESIDE] = {.reads_last = true, .carries_h = true},
        [ARNN_WIRING_BEFORE] = {.reads_first = true},
    };
    return &wirings[desc->wiring];
}
