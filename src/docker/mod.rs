//! Every docker flag that gordon knows: typed operations and facts give commands, docker's answers give what is
//! observed. Does not know why anything is done.

mod answer;
mod ask;
mod command;
mod fact;
mod image_list;
mod label;
mod observed;
mod op;
mod probe;
mod spec;

pub use answer::{ReadError, Survey};
pub use ask::{First, Scope, Second};
pub use command::{Cli, Command, Word};
pub use fact::{Current, Fact};
pub use image_list::{ImageList, ImageListError};
pub use label::{Kind, Labels, Release, key};
pub use observed::{
    Health, Images, Observed, SeenContainer, SeenImage, SeenMembership, SeenNetwork, SeenVolume, State,
};
pub use op::{Launch, Membership, Op};
pub use probe::{Await, Probe};
pub use spec::{Difference, EnvFile, HealthCheck, ImageFacts, Mount, Runtime, Secret, Source, Spec, hash};
