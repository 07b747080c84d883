//! The containers of a workload: made, replaced, rolled out, kept, drained. The files form a staircase: each
//! calls only those before it in `target`, `life`, `view`, `networks`, `ports`, `launch`, `left_data`, `drain`,
//! `replace`, `rollout`, `resume`, `release`, `workload`, `rollback`. Knows of the proxy only the steps that it left.

mod drain;
mod launch;
mod left_data;
mod life;
mod networks;
mod ports;
mod release;
mod replace;
mod resume;
mod rollback;
mod rollout;
mod target;
mod view;
mod workload;

pub use rollback::rollback;

pub(super) use drain::drain;
pub(super) use drain::stop_restarting;
pub(super) use launch::expect_room;
pub(super) use life::is_done;
pub(super) use life::is_failing;
pub(super) use life::is_unproved;
pub(super) use networks::address;
pub(super) use networks::leave_old_route_networks;
pub(super) use networks::unpause;
pub(super) use target::Slot;
pub(super) use target::named_volumes;
pub(super) use target::published;
pub(super) use target::slots;
pub(super) use view::Asked;
pub(super) use view::is_routed;
pub(super) use workload::bring_up;
pub(super) use workload::bring_up_shared;
