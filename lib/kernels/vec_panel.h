/* How weights are packed: in panels of PANEL outputs, [outputs / PANEL][inputs][PANEL] elements of their type, the last
   panel filled up with zeros. */
#ifndef ARNN_KERNELS_VEC_PANEL_H
#define ARNN_KERNELS_VEC_PANEL_H

#include "kernels/vec.h"

#define PANEL (2 * VF_LANES)

#endif
