#include "cost/machine.hpp"

#include "arnn.h"
#include "cost/ceiling.hpp"

#include <fstream>
#include <string>
#include <unistd.h>

namespace cost {

namespace {

#ifdef __clang__
const char *const compiler = __VERSION__; // "Clang 14.0.6"
#else
const char *const compiler = "gcc " __VERSION__;
#endif

template <class Value> Value read_value(const std::string &path) {
    Value value{};
    std::ifstream(path) >> value;
    return value;
}

std::vector<Cache> caches_by_sysfs() {
    std::vector<Cache> found;
    for (int index = 0;; index++) {
        std::string folder = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/";
        size_t level = read_value<size_t>(folder + "level");
        if (level == 0) return found;
        if (read_value<std::string>(folder + "type") == "Instruction") continue;
        std::string size = read_value<std::string>(folder + "size"); // "512K"
        size_t bytes = std::stoull("0" + size) << (size.find('K') != size.npos ? 10 : size.find('M') != size.npos ? 20 : 0);
        if (bytes != 0) found.push_back({level, bytes});
    }
}

std::vector<Cache> caches_by_sysconf() {
    std::vector<Cache> found;
#ifdef _SC_LEVEL1_DCACHE_SIZE
    const int names[] = {_SC_LEVEL1_DCACHE_SIZE, _SC_LEVEL2_CACHE_SIZE, _SC_LEVEL3_CACHE_SIZE};
    for (size_t i = 0; i < 3; i++) {
        long bytes = sysconf(names[i]);
        if (bytes > 0) found.push_back({i + 1, static_cast<size_t>(bytes)});
    }
#endif
    return found;
}

} // namespace

std::vector<Cache> caches() {
    std::vector<Cache> found = caches_by_sysfs();
    return found.empty() ? caches_by_sysconf() : found;
}

size_t last_cache() {
    std::vector<Cache> found = caches();
    return found.empty() ? size_t{8} << 20 : found.back().bytes;
}

size_t beyond_caches() { return 8 * last_cache(); }

size_t available_bytes() {
    std::ifstream info("/proc/meminfo");
    size_t kib;
    for (std::string word; info >> word;) {
        if (word == "MemAvailable:" && info >> kib) return kib << 10;
    }
    return 0;
}

Json machine() {
    std::vector<Json> levels;
    for (const Cache &cache : caches()) {
        levels.push_back(Json().add("level", cache.level).add("bytes", cache.bytes));
    }
    return Json()
        .add("build_info", std::string(arnn_build_info()))
        .add("compiler", std::string(compiler))
        .add("caches", levels)
        .add("read_loops", read_loops().size());
}

} // namespace cost
