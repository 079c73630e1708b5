//! Invented titles, descriptions and notes, with everything in them that exports trip over: commas, quotes,
//! brackets, line breaks, formulas, emoji, and writing from right to left.

use crate::sample::dice::Dice;

const VERBS: [&str; 16] = [
    "Grow",
    "Cut",
    "Launch",
    "Simplify",
    "Automate",
    "Win",
    "Halve",
    "Double",
    "Stabilise",
    "Retire",
    "Document",
    "Rebuild",
    "Étendre",
    "Vereinfachen:",
    "Understand",
    "Ship",
];

const THINGS: [&str; 24] = [
    "checkout time",
    "the partner programme",
    "monthly active users",
    "support backlog",
    "page load",
    "churn",
    "the mobile app",
    "first-time fix rate",
    "cost per order",
    "employee onboarding",
    "supplier lead time",
    "energy use",
    "test coverage",
    "the data platform",
    "net revenue retention",
    "complaints per 1,000 orders",
    "warehouse returns",
    "the design system",
    "incident response",
    "customer interviews",
    "invoice errors",
    "Kundenzufriedenheit",
    "顧客満足度",
    "délai de livraison",
];

const SCOPES: [&str; 16] = [
    "",
    "",
    "",
    "in Europe",
    "for small shops",
    "before the holidays",
    "across all sites",
    "with \"zero touch\"",
    "from cart to receipt, end to end",
    "(weight: 5%, Id: 3)",
    "[pilot; phase 2]",
    "in São Paulo & Łódź",
    "– part 2/3",
    "🚀",
    "=SUM(A1:A9) in the report",
    "for customers\twith contracts",
];

const RIGHT_TO_LEFT: [&str; 3] =
    ["תוכנית לשיפור השירות ב-25%", "تحسين تجربة العملاء (المرحلة 2)", "‏هدف: 100 زيارة \"جديدة\""];

const SENTENCES: [&str; 14] = [
    "We measure this on the first Monday of every month.",
    "Numbers come from the finance workbook, sheet \"Actuals\", column D.",
    "Agreed with the regions; Lisbon, Oslo and Pune start first.",
    "Not in scope: contracts signed before the move.",
    "The baseline was taken by hand and may be off by 2–3 %.",
    "Ask in the channel before you change the target!",
    "Risks: supplier delay, hiring freeze, \"unknown unknowns\".",
    "See <b>the plan</b> & its appendix; it's short.",
    "Formula: (new + returning) / all, rounded to 0.1.",
    "-1 point for every week that we are late.",
    "Für Rückfragen bitte zuerst das Wiki lesen 📚.",
    "このページは毎週更新されます。",
    "Path: C:\\plans\\2026\\q3, then the file with today's date.",
    "+5 for the team that finishes first 🎉",
];

const NOTES: [&str; 10] = [
    "On plan.",
    "Slightly behind, two people were ill; we expect to catch up.",
    "Great week 🎉",
    "Number corrected: last month's was \"preliminary\".",
    "Waiting for the supplier.",
    "=1+1 is what the sheet showed, so read it as 2",
    "No change",
    "Done ✅, closing after the review",
    "Blocked by the migration,\nsee the comment below.",
    "تم التحديث",
];

const TASKS: [&str; 8] = [
    "Write the plan",
    "Ask three customers",
    "Book the room, order lunch",
    "Review the \"draft\"",
    "Train the team",
    "Publish the numbers",
    "Switch off the old report",
    "Retrospektive",
];

/// A title in one line.
pub(crate) fn title(dice: &mut Dice) -> String {
    if dice.permille(10) {
        return dice.pick(&RIGHT_TO_LEFT).to_owned();
    }
    let title = format!("{} {} {}", dice.pick(&VERBS), dice.pick(&THINGS), dice.pick(&SCOPES));
    title.trim_end().to_owned()
}

/// A description: often none, mostly short, seldom of several thousand bytes.
pub(crate) fn description(dice: &mut Dice) -> Option<String> {
    let sentences = match dice.below(1000) {
        0..400 => return None,
        400..880 => dice.between(1, 3),
        880..985 => dice.between(4, 12),
        _ => dice.between(45, 140),
    };
    let mut description = String::new();
    for _ in 0..sentences {
        if !description.is_empty() {
            description.push_str(dice.pick(&[" ", " ", "\n", "\r\n\r\n"]));
        }
        let sentence = if dice.permille(15) { dice.pick(&RIGHT_TO_LEFT) } else { dice.pick(&SENTENCES) };
        description.push_str(sentence);
    }
    Some(description)
}

/// A note of a check-in, or a comment.
pub(crate) fn note(dice: &mut Dice) -> String {
    dice.pick(&NOTES).to_owned()
}

/// The name of a task.
pub(crate) fn task(dice: &mut Dice) -> String {
    dice.pick(&TASKS).to_owned()
}

/// A note as the editor of Viva Goals kept it.
pub(crate) fn html(text: &str) -> String {
    let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<p>{}</p>", escaped.replace('\n', "<br>"))
}
