#include "model/metadata.h"

#include <stdio.h>
#include <string.h>

#include "model/json.h"

#define PREFIX  "arnn."
#define VERSION "version"

static bool is_ours(const arnn_metadata *pair)
{
    return strncmp(pair->key, PREFIX, strlen(PREFIX)) == 0;
}

static bool is_known(const arnn_metadata *pair)
{
    const char *name = pair->key + strlen(PREFIX);
    const arnn_field *field = arnn_fields;
    while (field->name && strcmp(field->name, name) != 0)
        field++;
    return field->name || strcmp(name, VERSION) == 0;
}

static bool has_description(const arnn_safetensors *file)
{
    for (size_t i = 0; i < file->metadata_count; i++) {
        if (is_ours(&file->metadata[i]))
            return true;
    }
    return false;
}

static arnn_status check_version(const arnn_safetensors *file)
{
    char quote[ARNN_QUOTE_BYTES];
    const char *version = arnn_safetensors_metadata(file, PREFIX VERSION);
    if (!version)
        return arnn_error(ARNN_FORMAT, "the metadata have no %s", PREFIX VERSION);
    if (strcmp(version, "1") != 0)
        return arnn_error(ARNN_UNSUPPORTED, "%s is %s, and this library reads version 1 only", PREFIX VERSION,
                          arnn_json_quote(quote, version));
    for (size_t i = 0; i < file->metadata_count; i++) {
        if (is_ours(&file->metadata[i]) && !is_known(&file->metadata[i]))
            return arnn_error(ARNN_UNSUPPORTED, "%s is nothing that this library knows: a newer one wrote the file",
                              arnn_json_quote(quote, file->metadata[i].key));
    }
    return ARNN_OK;
}

static arnn_status read_field(arnn_model_desc *desc, const arnn_field *field, const arnn_safetensors *file)
{
    char key[64], quote[ARNN_QUOTE_BYTES];
    snprintf(key, sizeof key, PREFIX "%s", field->name);
    const char *text = arnn_safetensors_metadata(file, key);
    if (!text) /* the file is older than the field, which then has its default */
        return ARNN_OK;
    if (!arnn_field_read(field, desc, text))
        return arnn_error(ARNN_FORMAT, "%s is \"%s\", which is no value of it", key, arnn_json_quote(quote, text));
    return ARNN_OK;
}

/* A description that no model can have is a fault of the file, whatever it would be in an argument. */
static arnn_status resolve(arnn_model_desc *desc)
{
    arnn_model_desc read = *desc;
    if (!arnn_desc_resolve(desc, &read))
        return ARNN_OK;
    char reason[256];
    snprintf(reason, sizeof reason, "%s", arnn_last_error());
    return arnn_error(ARNN_FORMAT, "the file describes no model: %s", reason);
}

static arnn_status read_description(arnn_model_desc *desc, const arnn_safetensors *file)
{
    arnn_desc_default(desc);
    arnn_status status = check_version(file);
    for (const arnn_field *field = arnn_fields; field->name && !status; field++)
        status = read_field(desc, field, file);
    return status ? status : resolve(desc);
}

static arnn_status compare(const arnn_model_desc *own, const arnn_model_desc *given)
{
    char own_text[ARNN_FIELD_TEXT], given_text[ARNN_FIELD_TEXT];
    for (const arnn_field *field = arnn_fields; field->name; field++) {
        if (arnn_field_equal(field, own, given))
            continue;
        arnn_field_write(field, own, own_text);
        arnn_field_write(field, given, given_text);
        return arnn_error(ARNN_INVALID_ARGUMENT, "%s is %s in the file, but %s in the description given", field->name,
                          own_text, given_text);
    }
    return ARNN_OK;
}

arnn_status arnn_metadata_description(arnn_model_desc *desc, const arnn_safetensors *file, const arnn_model_desc *given)
{
    arnn_model_desc resolved;
    arnn_status status = given ? arnn_desc_resolve(&resolved, given) : ARNN_OK;
    if (status)
        return status;
    if (!has_description(file)) {
        if (!given)
            return arnn_error(ARNN_INVALID_ARGUMENT,
                              "the file does not describe its model, and no description was given");
        *desc = resolved;
        return ARNN_OK;
    }
    status = read_description(desc, file);
    return status || !given ? status : compare(desc, &resolved);
}
