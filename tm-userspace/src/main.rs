//! `tm`: the daemon (`tm serve`) and its command line.

fn main() -> std::process::ExitCode {
    tm_userspace::cli::main()
}
