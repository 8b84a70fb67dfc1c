// One JSON object on one line of standard output. Numbers that are not finite become null.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace cost {

class Json {
  public:
    Json &add(const char *key, const std::string &value);
    Json &add(const char *key, double value);
    Json &add(const char *key, size_t value);
    Json &add(const char *key, const Json &object);
    Json &add(const char *key, const std::vector<Json> &objects);
    std::string text() const { return "{" + body_ + "}"; }
    void print() const;

  private:
    Json &raw(const char *key, const std::string &value);
    std::string body_;
};

} // namespace cost
