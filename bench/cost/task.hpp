// A line of the plan: what to measure, in words `kind key=value key=value ..`.
#pragma once

#include <cstddef>
#include <iosfwd>
#include <map>
#include <string>
#include <vector>

namespace cost {

struct Task {
    std::string kind; // "step" or "text"
    std::map<std::string, std::string> values;

    const std::string &text(const std::string &key) const; // throws std::invalid_argument where there is no such key
    size_t number(const std::string &key) const;           // .. or where it is not a whole number
    double real(const std::string &key) const;
    std::string name() const; // for google-benchmark and for error messages
};

std::vector<Task> read_plan(std::istream &in);

} // namespace cost
