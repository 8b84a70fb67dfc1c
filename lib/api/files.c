#include "api/api.h"

#include "model/files.h"

static const arnn_load_options defaults = {.struct_size = sizeof defaults};

arnn_status arnn_load_options_default(arnn_load_options *options, size_t struct_size)
{
    ARNN_REQUIRE(options);
    arnn_status status = arnn_check_struct("arnn_load_options", struct_size, sizeof *options);
    if (!status)
        *options = defaults;
    return status;
}

static arnn_status check(const arnn_load_options **options)
{
    if (!*options)
        *options = &defaults;
    arnn_status status = arnn_check_struct("arnn_load_options", (*options)->struct_size, sizeof **options);
    if (!status && (*options)->ignore_unknown != 0 && (*options)->ignore_unknown != 1)
        status =
            arnn_error(ARNN_INVALID_ARGUMENT, "ignore_unknown is %d, expected 0 or 1", (int)(*options)->ignore_unknown);
    if (!status && (*options)->reserved != 0)
        status = arnn_error(ARNN_INVALID_ARGUMENT, "reserved is %d, expected 0", (int)(*options)->reserved);
    return status;
}

arnn_status arnn_model_load(arnn_model **out, const char *path, const arnn_load_options *options)
{
    ARNN_REQUIRE(out);
    *out = NULL;
    ARNN_REQUIRE(path);
    arnn_status status = check(&options);
    return status ? status : arnn_model_read_file(out, path, options);
}

arnn_status arnn_model_load_memory(arnn_model **out, const void *data, size_t bytes, const arnn_load_options *options)
{
    ARNN_REQUIRE(out);
    *out = NULL;
    ARNN_REQUIRE(data);
    arnn_status status = check(&options);
    return status ? status : arnn_model_read_memory(out, data, bytes, options);
}

arnn_status arnn_model_save(const arnn_model *model, const char *path)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(path);
    return arnn_model_write_file(model, path);
}

arnn_status arnn_model_save_memory(const arnn_model *model, void *data, size_t capacity, size_t *bytes)
{
    ARNN_REQUIRE(model);
    ARNN_REQUIRE(bytes);
    return arnn_model_write_memory(model, data, capacity, bytes);
}
