//! Whatever goes wrong with a docker command of a rollout, and whenever gordon or its script is killed: a plain `apply`
//! brings all to the end that it would have come to, and those who ask all the time lose nothing. On a real Docker Engine,
//! with the real Caddy in front; `scripts/engine` and `scripts/images` make ready what these tests need.
#![expect(clippy::disallowed_methods, reason = "tests run gordon and docker, and look at files")]

#[path = "../engine/support.rs"]
#[expect(dead_code, reason = "these tests need only a part of it")]
mod support;

mod apart;
mod broken;
mod cut_off;
mod faulty;
mod lane;
mod probe;
mod restart;
mod sample;
mod wildcard;
