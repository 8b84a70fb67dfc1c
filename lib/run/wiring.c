#include "run/wiring.h"

#include "arnn.h"

const arnn_wiring *arnn_wiring_of(int32_t wiring)
{
    static const arnn_wiring wirings[] = {
        [ARNN_WIRING_NONE] = {0},
        [ARNN_WIRING_AFTER] = {.reads_last = true},
        [ARNN_WIRING_BESIDE] = {.reads_last = true, .carries_h = true},
        [ARNN_WIRING_BEFORE] = {.reads_first = true},
    };
    return &wirings[wiring];
}
