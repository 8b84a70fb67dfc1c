#include "model/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "linalg/linalg.h"

/* The best first. */
#define TABLE(name) &arnn_kernels_##name,
static const arnn_kernels *const tables[] = {ARNN_VECTOR_TABLES(TABLE) TABLE(blas) TABLE(ref)};

static const size_t tables_count = sizeof tables / sizeof *tables;

void arnn_tables_list(char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < tables_count && used < bytes; i++) {
        if (tables[i]->supported())
            used += (size_t)snprintf(text + used, bytes - used, "%s%s", used ? " " : "", tables[i]->name);
    }
}

const arnn_kernels *arnn_tables_find(void)
{
    const char *wanted = getenv("ARNN_ISA");
    bool any = !wanted || !*wanted;
    for (size_t i = 0; i < tables_count; i++) {
        if (tables[i]->supported() && (any || strcmp(wanted, tables[i]->name) == 0))
            return tables[i];
    }
    return NULL;
}

arnn_status arnn_tables_choose(const arnn_kernels **out)
{
    char names[128];
    const char *wanted = getenv("ARNN_ISA");
    *out = arnn_tables_find();
    if (*out)
        return ARNN_OK;
    arnn_tables_list(names, sizeof names);
    return arnn_error(ARNN_UNSUPPORTED, "ARNN_ISA is \"%.40s\", this machine has %s", wanted ? wanted : "", names);
}
