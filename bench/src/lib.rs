//! What ACE is held against: a real `ace serve` in a process of its own, on a PostgreSQL of its own, asked over HTTP
//! like anybody asks.
//!
//! Belongs here: the world that is measured, the load, the limits of the same machine, and the chaos that the tests
//! of the binary run in a small size. Does not belong here: rules of ACE; nothing that serves depends on this crate.

pub mod chaos;
pub mod http;
pub mod limit;
pub mod measure;
pub mod postgres;
pub mod server;
pub mod table;
pub mod world;

/// Numbers that are the same in every run, fast enough not to be measured.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Dice that begin at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// The next number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % n.max(1) as u64).unwrap_or(0)
    }
}
