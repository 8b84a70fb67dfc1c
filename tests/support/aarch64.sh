#!/usr/bin/env bash
# Makes a folder in which a build for aarch64 finds its libraries, and a cross file for Meson. Usage: aarch64.sh FOLDER.
# Needs gcc-aarch64-linux-gnu, qemu-user, and apt with arm64 among its architectures; changes nothing outside the folder.
set -eu -o pipefail
folder=$1
root=$folder/root
libraries=$root/usr/lib/aarch64-linux-gnu
packages="libopenblas0-pthread libopenblas-pthread-dev libgfortran5 liblapacke liblapacke-dev libtmglib3 libcmocka0 libcmocka-dev
          libjansson4 libjansson-dev libgcc-s1"
mkdir -p "$root" "$folder/debs"
if [ ! -f "$folder/made" ]; then
    (cd "$folder/debs" && for package in $packages; do apt-get download -qq "$package:arm64"; done) > "$folder/log" 2>&1
    for deb in "$folder"/debs/*.deb; do
        dpkg -x "$deb" "$root"
    done
    ln -sf openblas-pthread/libopenblas.so.0 "$libraries/libopenblas.so.0"
    ln -sf openblas-pthread/libopenblas.so "$libraries/libopenblas.so"
    ln -sf openblas-pthread/liblapack.so.3 "$libraries/liblapack.so.3"
    ln -sf openblas-pthread/libblas.so.3 "$libraries/libblas.so.3"
    touch "$folder/made"
fi
cat > "$folder/cross.ini" <<INI
[binaries]
c = 'aarch64-linux-gnu-gcc'
ar = 'aarch64-linux-gnu-ar'
strip = 'aarch64-linux-gnu-strip'
pkgconfig = 'pkg-config'
pkg-config = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '/usr/aarch64-linux-gnu', '-E',
               'LD_LIBRARY_PATH=$libraries:$libraries/openblas-pthread:/usr/aarch64-linux-gnu/lib']

[built-in options]
c_args = ['-isystem', '$root/usr/include', '-isystem', '$root/usr/include/aarch64-linux-gnu',
          '-isystem', '$root/usr/include/aarch64-linux-gnu/openblas-pthread']
c_link_args = ['-L$libraries', '-L$libraries/openblas-pthread', '-Wl,-rpath-link,$libraries',
               '-Wl,-rpath-link,$libraries/openblas-pthread']

[properties]
sys_root = '$root'
pkg_config_libdir = '$libraries/pkgconfig'

[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'cortex-a72'
endian = 'little'
INI
