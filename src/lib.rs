//! gordon compiles one config into an ordered plan of docker commands.
#![forbid(unsafe_code)]

pub mod apply;
pub mod commands;
pub mod config;
pub mod desired;
pub mod docker;
pub mod name;
pub mod plan;
pub mod render;
pub mod spec;
pub mod sys;
