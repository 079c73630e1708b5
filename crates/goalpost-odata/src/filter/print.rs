//! A tree as text, with the brackets that its shape needs and no others.

use std::fmt::{self, Display, Formatter};

use super::{Condition, Expr, Strength};

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(literal) => literal.fmt(f),
            Self::Path(path) => path.fmt(f),
            Self::Call { name, arguments } => {
                write!(f, "{name}(")?;
                write_list(f, arguments)?;
                f.write_str(")")
            }
            Self::Not(operand) => {
                f.write_str("not ")?;
                write_operand(f, operand, Strength::Unary)
            }
            Self::Negate(operand) => {
                // The space keeps a number behind the sign from being read as a negative number.
                f.write_str("- ")?;
                write_operand(f, operand, Strength::Unary)
            }
            Self::Binary { operator, left, right } => {
                write_operand(f, left, operator.strength())?;
                write!(f, " {} ", operator.as_str())?;
                write_operand(f, right, operator.strength().tighter())
            }
            Self::In { value, list } => {
                write_operand(f, value, Strength::Membership)?;
                f.write_str(" in (")?;
                write_list(f, list)?;
                f.write_str(")")
            }
            Self::Lambda { collection, quantifier, condition } => {
                write!(f, "{collection}/{}(", quantifier.as_str())?;
                if let Some(Condition { variable, predicate }) = condition {
                    write!(f, "{variable}:{predicate}")?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Expr {
    fn strength(&self) -> Strength {
        match self {
            Self::Literal(_) | Self::Path(_) | Self::Call { .. } | Self::Lambda { .. } => Strength::Operand,
            Self::Not(_) | Self::Negate(_) => Strength::Unary,
            Self::Binary { operator, .. } => operator.strength(),
            Self::In { .. } => Strength::Membership,
        }
    }
}

fn write_operand(f: &mut Formatter<'_>, operand: &Expr, weakest: Strength) -> fmt::Result {
    if operand.strength() < weakest { write!(f, "({operand})") } else { operand.fmt(f) }
}

fn write_list(f: &mut Formatter<'_>, items: &[impl Display]) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(",")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
