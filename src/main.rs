//! The `gordon` binary.
fn main() {}
