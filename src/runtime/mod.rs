//! Where the pure room meets the world: the terminal, the clock, the polling thread, the ledger.
//!
//! May import every room but `cli` and `settings`. Start with [`room`], the `select!` loop; [`feed`]
//! starts the polls, [`hands`] carries out effects, [`screen`] owns the terminal. Nothing awaits in
//! the key path, and the first frame is drawn before the first poll returns.

pub mod clock;
pub mod commands;
pub mod credential;
pub mod deck;
pub mod feed;
pub mod hands;
mod input;
pub mod lockstep;
pub mod once;
pub mod past;
pub mod polling;
pub mod rehearsal;
pub mod replay;
pub mod room;
mod screen;
mod signing;
mod tty;

pub use clock::Clock;
pub use deck::Deck;
pub use feed::{Feed, Polls};
pub use past::Past;
pub use room::{Ending, Setup};
