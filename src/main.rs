//! The `gonogo` program; all of it lives in the library, so that tests can reach it.

fn main() -> gonogo::cli::Exit {
    gonogo::cli::main()
}
