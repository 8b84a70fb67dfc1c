/* A stranger's program: a step of a small model, by the header and the library as they were installed. */
#include <arnn.h>
#include <stdio.h>

int main(void)
{
    arnn_model *model;
    arnn_cache *cache;
    arnn_state *state;
    arnn_model_desc desc;
    float y[8], x[3] = {0.5f, -0.25f, 1.0f};
    const arnn_input in = {.struct_size = sizeof in, .x = x};
    const arnn_output out = {.struct_size = sizeof out, .y = {.data = y}};
    if (arnn_model_desc_default(&desc, sizeof desc))
        return 1;
    desc.inputs = 3;
    desc.hidden = 8;
    if (arnn_model_create(&model, &desc) || arnn_model_init(model, 1) || arnn_cache_create(&cache, model, NULL) ||
        arnn_state_create(&state, model, cache, 1) || arnn_step(state, &out, &in, NULL, 1))
        return puts(arnn_last_error()), 1;
    printf("%d %.6f\n", (int)arnn_version(), (double)y[0]);
    arnn_state_destroy(state);
    arnn_cache_destroy(cache);
    arnn_model_destroy(model);
    return 0;
}
