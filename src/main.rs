//! The `gonogo` program; all of it lives in the library, so that tests can reach it.

/// The system's allocator (glibc) keeps what each thread once held, and lets a key wait for a lock that
/// a polling thread holds. This one gives pages back, and frees across threads without a lock.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> gonogo::cli::Exit {
    gonogo::cli::main()
}
