// What this machine is.
#pragma once

#include "cost/json.hpp"

#include <cstddef>
#include <vector>

namespace cost {

struct Cache {
    size_t level, bytes;
};

// Data and unified caches that the first processor sees, smallest first; empty where the system does not tell.
std::vector<Cache> caches();
size_t last_cache();         // bytes of the last one
size_t beyond_caches();      // so many bytes are found in no cache, however often they are read

// Memory that a program can take now without pushing others out, in bytes; 0 where the system does not tell.
size_t available_bytes();

Json machine();

} // namespace cost
