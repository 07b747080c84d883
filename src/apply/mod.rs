//! Carries out a plan, step by step, side by side where it can, and tells what happens. Decides nothing: what is to be
//! done stands in the plan. Does not know who makes the docker calls or who is told.

mod machine;

pub use machine::End;
pub use machine::Machine;
pub use machine::Outcome;
