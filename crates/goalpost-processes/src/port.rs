use std::hash::{BuildHasher as _, RandomState};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that Linux gives to outgoing connections: one of those could take the port of a program that is
/// about to be started, or started again.
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_768;

/// A port of this machine that nobody listens on. Every call gives another one.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Many test processes look for ports at the same time; each begins somewhere else.
    static BEGIN: std::sync::OnceLock<u16> = std::sync::OnceLock::new();
    let begin =
        *BEGIN.get_or_init(|| (RandomState::new().hash_one(std::process::id()) % u64::from(COUNT)) as u16);
    for _ in 0..COUNT {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (u32::from(begin) + u32::from(next)).rem_euclid(u32::from(COUNT)) as u16;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("every port is taken")
}
