//! What takes long on a real Docker Engine, with the real Caddy in front: faults and load. `scripts/engine` and
//! `scripts/images` make ready what these tests need.
#![expect(
    clippy::disallowed_methods,
    reason = "tests run gordon and docker, look at files, and know the time"
)]

mod faults;
mod load;
