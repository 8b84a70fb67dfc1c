"""Changes of arnn.h that a binding has to notice, and copies of the header with one of them."""
import shutil

import header

# What changes, the text in the header, what stands there instead, and whether arnn.hpp must no longer compile. Where it
# need not, it takes what has changed from the header itself.
CHANGES = [
    ("a parameter is gone", "int32_t *lost, size_t stream);", "int32_t *lost);", True),
    ("a parameter is new", "arnn_model_init(arnn_model *model, uint64_t seed);",
     "arnn_model_init(arnn_model *model, uint64_t seed, size_t layer);", True),
    ("a parameter has another type", "arnn_trainer_update(arnn_trainer *trainer, double *norm,",
     "arnn_trainer_update(arnn_trainer *trainer, float *norm,", True),
    ("a function gives something else", "int32_t arnn_version(void);", "const char *arnn_version(void);", True),
    ("a function is gone", "size_t arnn_state_streams(const arnn_state *state);", "", True),
    ("a function is new", "int32_t arnn_version(void);", "int32_t arnn_version(void);\nint32_t arnn_age(void);", False),
    ("a field has another name", "    size_t map_columns;\n", "    size_t map_width;\n", True),
    ("a field is gone", "    size_t map_columns;\n", "", True),
    ("a field is new", "    double norm; ", "    double bound, norm; ", False),
    ("a field is wider", "    int32_t ignore_unknown; ", "    int64_t ignore_unknown; ", False),
    ("a field holds something else", "    double norm; ", "    int64_t norm;", False),
    ("fields have changed places", "    size_t time_stride;\n    size_t stream_stride;\n} arnn_array;",
     "    size_t stream_stride;\n    size_t time_stride;\n} arnn_array;", False),
    ("a constant has another name", "ARNN_CELL_GRU = 2", "ARNN_CELL_GATED = 2", True),
    ("constants have changed values", "ARNN_CELL_GRU = 2, ARNN_CELL_LSTM = 3",
     "ARNN_CELL_GRU = 3, ARNN_CELL_LSTM = 2", False),
    ("a constant is new", "ARNN_CELL_LSTM = 3", "ARNN_CELL_LSTM = 3, ARNN_CELL_CLOCK = 4", False),
]
NAMES = [change[0] for change in CHANGES]


def include(folder, name):
    """A copy of include/ below this folder, in whose arnn.h the change of this name was made."""
    made = folder / "include"
    made.mkdir()
    for file in header.HEADER.parent.glob("*.h*"):
        shutil.copy(file, made)
    [(old, new)] = [change[1:3] for change in CHANGES if change[0] == name]
    assert header.TEXT.count(old) == 1, f"the header no longer has just one {old!r}"
    (made / "arnn.h").write_text(header.TEXT.replace(old, new))
    return made
