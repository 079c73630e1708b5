//! The rules of objectives and key results: what a value on a metric is worth, what children make of their parent, where
//! a goal should be today, and what that says about it.
//!
//! ```text
//! value ──Scale──▶ percent ──roll_up, with Contributions──▶ the parent's percent or value
//!                     │                                          │
//!    days ──expected──┴──▶ gap ──status::from_progress──▶ Status ◀── status::from_children
//!                     └──score::suggested──▶ score
//! ```
//!
//! Everything here is arithmetic on what it is given: no database, no clock, no rights. The rules are those of Viva
//! Goals' documentation; where it is silent or says two things, docs/DATA.md ("Rules") says what was chosen.
//!
//! ```
//! use goalpost_okr::{Child, Contribution, Outcome, Scale, TargetType, roll_up};
//!
//! // From 15 to 35, and at 20 now.
//! let scale = Scale { target_type: TargetType::IncreaseFrom, start: Some(15.0), target: Some(35.0), risk: None };
//! let percent = scale.percent(20.0);
//! assert_eq!(percent, Some(25.0));
//!
//! let children = [
//!     Child { percent, contribution: Contribution::Fixed(50.0), ..Child::default() },
//!     Child { percent: Some(75.0), ..Child::default() },
//! ];
//! assert_eq!(roll_up(&Outcome::Percentage, &children)?, Some(50.0));
//! # Ok::<(), goalpost_okr::WeightError>(())
//! ```

mod expected;
mod rollup;
mod scale;
pub mod score;
pub mod status;
mod weights;
mod words;

pub use expected::{Milestone, expected};
pub use rollup::{Child, Outcome, roll_up};
pub use scale::Scale;
pub use status::Status;
pub use weights::{Contribution, WeightError, shares};
pub use words::TargetType;
