//! Asks pkg-config where the library is, and passes it on to the linker.

use std::env;
use std::process::{exit, Command};

const HINT: &str = "arnn-sys needs the installed library arnn and the command pkg-config. Install arnn \
    (`meson install`), and where that was not into a standard place, let PKG_CONFIG_PATH name the folder of arnn.pc \
    (PREFIX/lib/pkgconfig, on Debian PREFIX/lib/x86_64-linux-gnu/pkgconfig).";

fn fail(reason: &str) -> ! {
    eprintln!("error: {}\n{}", reason.trim(), HINT);
    exit(1)
}

fn pkg_config(arguments: &[&str]) -> String {
    let command = env::var("PKG_CONFIG").unwrap_or_else(|_| "pkg-config".into());
    match Command::new(&command).args(arguments).arg("arnn >= 0.1").output() {
        Err(error) => fail(&format!("{} does not run: {}", command, error)),
        Ok(done) if !done.status.success() => fail(&String::from_utf8_lossy(&done.stderr)),
        Ok(done) => String::from_utf8_lossy(&done.stdout).trim().to_string(),
    }
}

fn main() {
    for name in ["PKG_CONFIG", "PKG_CONFIG_PATH", "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR", "ARNN_STATIC"] {
        println!("cargo:rerun-if-env-changed={}", name);
    }
    println!("cargo:rerun-if-changed=build.rs");
    let linked_in =
        env::var_os("CARGO_FEATURE_STATIC").is_some() || env::var("ARNN_STATIC").map_or(false, |v| v == "1");
    let flags = pkg_config(if linked_in { &["--static", "--libs"] } else { &["--libs"] });
    println!("cargo:rustc-link-search=native={}", pkg_config(&["--variable=libdir"]));
    for flag in flags.split_whitespace() {
        if let Some(folder) = flag.strip_prefix("-L") {
            println!("cargo:rustc-link-search=native={}", folder);
        } else if let Some(name) = flag.strip_prefix("-l") {
            let kind = if linked_in && name == "arnn" { "static=" } else { "" };
            println!("cargo:rustc-link-lib={}{}", kind, name);
        }
    }
    let cflags = pkg_config(&["--cflags", "--keep-system-cflags"]);
    let include = pkg_config(&["--variable=includedir"]);
    println!("cargo:rerun-if-changed={}/arnn.h", include);
    println!("cargo:include={}", include); // DEP_ARNN_INCLUDE for crates that compile C
    println!("cargo:rustc-env=ARNN_SYS_INCLUDE={}", include);
    println!("cargo:rustc-env=ARNN_SYS_CFLAGS={}", cflags);
}
