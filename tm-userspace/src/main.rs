//! `tm`: the daemon (`tm serve`) and its command line.

/// Ten thousand profiles come and go in many small pieces: of these glibc's allocator keeps three times as much, and takes twice as long over each change. How soon jemalloc gives back what is
/// free stands in `.cargo/config.toml`.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    tm_userspace::cli::main()
}
