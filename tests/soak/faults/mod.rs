//! Whatever goes wrong with a docker command of a rollout, and whenever gordon or its script is killed: a plain `apply`
//! brings all to the end that it would have come to, and those who ask all the time lose nothing.

mod broken;
mod cut_off;
mod fault_injection;
mod probe;
mod restart;
mod rolling_project;
mod sample;
mod wildcard;
