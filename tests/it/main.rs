//! The tests that need no engine: the command line, plans, the architecture, the README.
mod cli;
mod fuzz;
mod golden;
mod interrupt;
mod layering;
mod plan_decisions;
mod plan_properties;
mod readme;
