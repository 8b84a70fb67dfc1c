// Zeroed memory in large pages where the system gives them: what a rival and a read ceiling deserve.
#pragma once

#include <cstddef>
#include <new>
#include <sys/mman.h>

namespace cost {

class Block {
  public:
    explicit Block(size_t bytes) : bytes_(bytes) {
        mapped_ = bytes + large_page;
        base_ = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (base_ == MAP_FAILED) throw std::bad_alloc();
        size_t address = reinterpret_cast<size_t>(base_);
        data_ = static_cast<char *>(base_) + (large_page - address % large_page) % large_page;
#ifdef MADV_HUGEPAGE
        madvise(data_, bytes, MADV_HUGEPAGE); // advice only: without it the pages are small
#endif
    }
    ~Block() { munmap(base_, mapped_); }
    Block(const Block &) = delete;
    Block &operator=(const Block &) = delete;

    const char *data() const { return data_; }
    float *floats() { return reinterpret_cast<float *>(data_); }
    size_t bytes() const { return bytes_; }

  private:
    static constexpr size_t large_page = size_t{2} << 20;
    void *base_;
    char *data_;
    size_t bytes_, mapped_;
};

} // namespace cost
