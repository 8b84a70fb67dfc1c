//! The declarations against the header: a C program that includes it says what its sizes, offsets and constants are, and a
//! C compiler is given every Rust signature, written in C, next to the header's own.

use arnn_sys::*;
use std::collections::BTreeMap;
use std::mem::{size_of, MaybeUninit};
use std::path::{Path, PathBuf};
use std::process::Command;

const RUST: &str = concat!(include_str!("../src/lib.rs"), include_str!("../src/functions.rs"));

/// Where the header is: as pkg-config said, or, to see what these tests say of a changed one, as ARNN_SYS_INCLUDE says.
fn include() -> PathBuf {
    std::env::var_os("ARNN_SYS_INCLUDE").unwrap_or_else(|| env!("ARNN_SYS_INCLUDE").into()).into()
}

/// The header without comments, all blanks single.
fn header() -> String {
    let text = std::fs::read_to_string(include().join("arnn.h")).unwrap();
    let mut code = String::new();
    for (i, part) in text.split("/*").enumerate() {
        code.push_str(if i == 0 { part } else { part.split_once("*/").unwrap().1 });
    }
    let lines: Vec<&str> = code.lines().filter(|line| !line.starts_with('#')).collect();
    lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

fn constants(header: &str) -> Vec<&str> {
    let bodies = header.split("enum {").skip(1).map(|rest| rest.split_once('}').unwrap().0);
    bodies.flat_map(words).filter(|word| word.starts_with("ARNN_")).collect()
}

/// Each struct with its members.
fn structs(header: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found = BTreeMap::new();
    for rest in header.split("typedef struct ").skip(1) {
        let (head, tail) = rest.split_once(['{', ';']).unwrap();
        if head.trim().contains(' ') {
            continue; // an opaque handle
        }
        let members = tail.split_once('}').unwrap().0.split(';').filter_map(|member| words(member).last());
        found.insert(head.trim(), members.collect());
    }
    found
}

/// Each function with the number of its parameters.
fn functions(header: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for statement in header.split(';').filter(|statement| statement.contains('(')) {
        let (head, tail) = statement.split_once('(').unwrap();
        let parameters = tail.rsplit_once(')').unwrap().0;
        let count = if parameters.trim() == "void" { 0 } else { parameters.split(',').count() };
        found.insert(words(head).last().unwrap().to_string(), count);
    }
    found
}

/// Each function of functions.rs: its parameters' types, and what it returns.
fn declared() -> BTreeMap<String, (Vec<String>, String)> {
    let block = RUST.split_once("extern \"C\" {").unwrap().1;
    let mut found = BTreeMap::new();
    for item in block.split("pub fn ").skip(1) {
        let (name, rest) = item.split_once('(').unwrap();
        let (parameters, rest) = rest.split_once(')').unwrap();
        let types = parameters.split(',').filter_map(|p| p.split_once(':')).map(|p| p.1.trim().to_string()).collect();
        let gives = rest.split_once(';').unwrap().0.trim().trim_start_matches("->").trim().to_string();
        found.insert(name.to_string(), (types, gives));
    }
    found
}

/// A Rust type in C.
fn in_c(rust: &str) -> String {
    if let Some(inner) = rust.strip_prefix("*const ") {
        return format!("{} const *", in_c(inner));
    }
    if let Some(inner) = rust.strip_prefix("*mut ") {
        return format!("{} *", in_c(inner));
    }
    match rust {
        "" | "c_void" => "void",
        "c_char" => "char",
        "i32" => "int32_t",
        "u64" => "uint64_t",
        "usize" => "size_t",
        "f32" => "float",
        "f64" => "double",
        other => other,
    }
    .to_string()
}

/// In a folder of its own: others may run these tests at the same time.
fn compile(name: &str, source: &str, options: &[&str]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{}", std::process::id(), name));
    std::fs::create_dir_all(&folder).unwrap();
    let (file, made) = (folder.join(name).with_extension("c"), folder.join(name));
    std::fs::write(&file, source).unwrap();
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let mut command = Command::new(&compiler);
    command.arg("-I").arg(include()).args(compiler_flags()).args(options).arg(&file).arg("-o").arg(&made);
    let done = command.output().unwrap_or_else(|error| panic!("{}: {}", compiler, error));
    if !done.status.success() {
        discard(&made);
        panic!("{}", String::from_utf8_lossy(&done.stderr));
    }
    made
}

fn discard(made: &Path) {
    std::fs::remove_dir_all(made.parent().unwrap()).unwrap();
}

fn compiler_flags() -> Vec<&'static str> {
    env!("ARNN_SYS_CFLAGS").split_whitespace().chain(["-std=c11"]).collect()
}

/// What the header says: "sizeof S" and "S.m" with offset and size, and constants.
fn said_by_c(header: &str) -> BTreeMap<String, usize> {
    let mut lines = String::new();
    for name in constants(header) {
        lines += &format!("    printf(\"{0} %zu\\n\", (size_t){0});\n", name);
    }
    for (name, members) in structs(header) {
        lines += &format!("    printf(\"{0} %zu\\n\", sizeof({0}));\n", name);
        for member in members {
            lines += &format!("    printf(\"{0}.{1} %zu\\n\", offsetof({0}, {1}));\n", name, member);
        }
    }
    let source = format!("#include <arnn.h>\n#include <stdio.h>\nint main(void)\n{{\n{}    return 0;\n}}\n", lines);
    let program = compile("layout", &source, &[]);
    let done = Command::new(&program).output().unwrap();
    discard(&program);
    let text = String::from_utf8(done.stdout).unwrap();
    text.lines().map(|line| line.rsplit_once(' ').unwrap()).map(|l| (l.0.into(), l.1.parse().unwrap())).collect()
}

macro_rules! layouts {
    ($($name:ident { $($member:ident),* })*) => {{
        let mut found = BTreeMap::new();
        $(
            found.insert(stringify!($name).to_string(), size_of::<$name>());
            let place = MaybeUninit::<$name>::uninit();
            let base = place.as_ptr();
            $(
                let member = unsafe { std::ptr::addr_of!((*base).$member) } as usize;
                found.insert(format!("{}.{}", stringify!($name), stringify!($member)), member - base as usize);
            )*
        )*
        found
    }};
}

macro_rules! values {
    ($($name:ident)*) => { [$((stringify!($name).to_string(), $name as usize)),*] };
}

#[test]
fn sizes_offsets_and_constants_are_the_header_s() {
    let mut in_rust = layouts! {
        arnn_model_desc {
            struct_size, cell, wiring, score, attention_start, start_row, recency, skip, source, scale,
            recency_start, inputs, hidden, layers, vocab, align, window, sinks, outputs
        }
        arnn_load_options { struct_size, desc, prefix, ignore_unknown, reserved }
        arnn_cache_desc { struct_size, tape_type, memory_type, key_type, threads, page_rows, streams, rows, max_bytes }
        arnn_input { struct_size, x, tokens, time_stride, stream_stride }
        arnn_array { data, time_stride, stream_stride }
        arnn_output { struct_size, y, h, s, map, map_zero, map_layer, map_columns }
        arnn_rows { data, count, stride }
        arnn_record_desc { struct_size, threads, reserved, streams, steps, past }
        arnn_output_gradient { struct_size, y, h, s }
        arnn_gradient { struct_size, parameters, x, s, m, h }
        arnn_trainer_desc {
            struct_size, loss, over, optimiser, threads, momentum, second_momentum, epsilon, weight_decay, clip,
            dropout, readout_dropout, reserved, seed, streams, steps, past
        }
        arnn_examples {
            struct_size, x, tokens, time_stride, stream_stride, labels, values, wanted_time_stride,
            wanted_stream_stride, weights, lengths, steps, count, carry, reserved
        }
        arnn_training { struct_size, loss, weight, correct, norm }
    };
    in_rust.extend(values! {
        ARNN_OK ARNN_INVALID_ARGUMENT ARNN_SHAPE ARNN_UNSUPPORTED ARNN_NOT_FOUND ARNN_BUSY ARNN_FULL ARNN_NO_MEMORY
        ARNN_IO ARNN_FORMAT ARNN_CELL_RNN_TANH ARNN_CELL_RNN_RELU ARNN_CELL_GRU ARNN_CELL_LSTM ARNN_WIRING_NONE
        ARNN_WIRING_AFTER ARNN_WIRING_BESIDE ARNN_WIRING_BEFORE ARNN_SCORE_DOT ARNN_SCORE_GENERAL ARNN_SCORE_ADDITIVE
        ARNN_ATTENTION_SPREAD ARNN_ATTENTION_NEWEST ARNN_START_NONE ARNN_START_ZERO ARNN_SOURCE_H ARNN_SOURCE_S
        ARNN_SOURCE_HS ARNN_TYPE_F32 ARNN_TYPE_F16 ARNN_TYPE_BF16 ARNN_TYPE_I8 ARNN_VALUE_S ARNN_VALUE_M ARNN_VALUE_H
        ARNN_LOSS_CROSS_ENTROPY ARNN_LOSS_SQUARED_ERROR ARNN_OVER_STEPS ARNN_OVER_LAST ARNN_OVER_MEAN
        ARNN_OPTIMISER_SGD ARNN_OPTIMISER_ADAM ARNN_OPTIMISER_ADAMW
    });
    assert_eq!(in_rust, said_by_c(&header()));
}

#[test]
fn every_function_is_declared_with_its_parameters() {
    let in_rust = declared().into_iter().map(|(name, (types, _))| (name, types.len())).collect();
    assert_eq!(functions(&header()), in_rust);
}

/// Two declarations of one function that differ are an error in C.
#[test]
fn signatures_and_members_are_the_header_s() {
    let mut source = String::from("#include <arnn.h>\n");
    for (name, (types, gives)) in declared() {
        let types: Vec<String> = types.iter().map(|each| in_c(each)).collect();
        let list = if types.is_empty() { "void".to_string() } else { types.join(", ") };
        source += &format!("{} {}({});\n", in_c(&gives), name, list);
    }
    for item in RUST.split("pub struct ").skip(1).filter(|item| item.starts_with("arnn_")) {
        let (name, rest) = item.split_once(" {").unwrap();
        for member in rest.split_once('}').unwrap().0.split(',').filter_map(|each| each.split_once(':')) {
            let (field, kind) = (member.0.trim().trim_start_matches("pub "), in_c(member.1.trim()));
            source += &format!(
                "_Static_assert(_Generic(&(({} *)0)->{}, {} *: 1, default: 0), \"{}.{}\");\n",
                name, field, kind, name, field
            );
        }
    }
    assert!(source.contains("arnn_step(arnn_state *") && source.contains("arnn_output.map_layer"));
    discard(&compile("signatures.o", &source, &["-c"]));
}

/// The shared library that the tests run on is the one whose header they read.
#[test]
fn the_library_has_the_header_s_version() {
    let text = std::fs::read_to_string(include().join("arnn_version.h")).unwrap();
    let number = |part: &str| -> i32 {
        let name = format!("#define ARNN_VERSION_{} ", part);
        text.split_once(&name).unwrap().1.lines().next().unwrap().trim().parse().unwrap()
    };
    let version = number("MAJOR") * 10000 + number("MINOR") * 100 + number("PATCH");
    assert_eq!(unsafe { arnn_version() }, version);
}
