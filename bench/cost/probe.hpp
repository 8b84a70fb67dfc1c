// How fast OpenBLAS is in this process, which it may have begun with kernels for an older processor than this one.
#pragma once

#include "cost/json.hpp"

namespace cost {

Json probe();

} // namespace cost
