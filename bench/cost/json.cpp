#include "cost/json.hpp"

#include <cmath>
#include <cstdio>

namespace cost {

namespace {

std::string quoted(const std::string &value) {
    std::string out = "\"";
    for (unsigned char c : value) {
        char escape[8];
        if (c == '"' || c == '\\' || c < 0x20) {
            std::snprintf(escape, sizeof escape, "\\u%04x", c);
            out += escape;
        } else {
            out += static_cast<char>(c);
        }
    }
    return out + "\"";
}

} // namespace

Json &Json::raw(const char *key, const std::string &value) {
    if (!body_.empty()) body_ += ", ";
    body_ += quoted(key) + ": " + value;
    return *this;
}

Json &Json::add(const char *key, const std::string &value) { return raw(key, quoted(value)); }
Json &Json::add(const char *key, size_t value) { return raw(key, std::to_string(value)); }
Json &Json::add(const char *key, const Json &object) { return raw(key, object.text()); }

Json &Json::add(const char *key, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.7g", value);
    return raw(key, std::isfinite(value) ? digits : "null");
}

Json &Json::add(const char *key, const std::vector<Json> &objects) {
    std::string list;
    for (const Json &object : objects) {
        list += (list.empty() ? "" : ", ") + object.text();
    }
    return raw(key, "[" + list + "]");
}

void Json::print() const {
    std::printf("%s\n", text().c_str());
    std::fflush(stdout);
}

} // namespace cost
