//! The engine is restarted with everything on it.

use crate::apart::Engine;
use crate::apart::with_an_engine;
use crate::lane::IMAGES;
use crate::lane::Lane;
use crate::lane::Shape;

#[test]
fn after_a_restart_of_the_engine_all_serves_again_and_nothing_is_left_to_do() {
    let images = ["caddy:2", "redis:7-alpine", "gmail-web:latest"];
    let images = [&images[..], &IMAGES[..2]].concat();
    let name = "restart::after_a_restart_of_the_engine_all_serves_again_and_nothing_is_left_to_do";
    with_an_engine(name, &images, restarted);
}

fn restarted(mut engine: Engine) {
    let lanes = [
        Lane::new("gtest-restart-one", Shape::Apps(1), 2),
        Lane::new("gtest-restart-two", Shape::Replicas, 2),
    ];
    engine.restart();
    for lane in &lanes {
        lane.serves();
        lane.is_mended(1, "after the engine was restarted");
    }
}
