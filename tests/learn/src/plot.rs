//! The report's plots.

use std::error::Error;
use std::fs;
use std::path::Path;

use plotters::prelude::*;

use crate::Studied;

const SIZE: (u32, u32) = (640, 420);
const OURS: RGBColor = RGBColor(0x1f, 0x5f, 0xbf);
const OTHER: RGBColor = RGBColor(0xc2, 0x5b, 0x12);
const THIRD: RGBColor = RGBColor(0x3d, 0x84, 0x4a);

type Drawn = Result<(), Box<dyn Error>>;

/// One line of a plot: its name and its points.
struct Line<'a> {
    name: &'a str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// What a plot says around its lines.
struct Frame<'a> {
    title: &'a str,
    across: &'a str,
    up: &'a str,
    width: f64,
    height: f64,
}

fn draw(path: &Path, frame: &Frame<'_>, lines: &[Line<'_>]) -> Drawn {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(frame.title, ("sans-serif", 17))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(56)
        .build_cartesian_2d(0.0..frame.width, 0.0..frame.height)?;
    chart.configure_mesh().x_desc(frame.across).y_desc(frame.up).light_line_style(WHITE).draw()?;
    for line in lines {
        let colour = line.colour;
        chart
            .draw_series(LineSeries::new(line.points.iter().copied(), colour.stroke_width(2)))?
            .label(line.name)
            .legend(move |(x, y)| PathElement::new(vec![(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(line.points.iter().map(|point| Circle::new(*point, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.9))
        .border_style(BLACK.mix(0.3))
        .draw()?;
    root.present()?;
    Ok(())
}

/// Draws them all into a folder.
pub fn all(studied: &Studied, folder: &Path) -> Drawn {
    fs::create_dir_all(folder)?;
    let shipped = &studied.views[1].1;
    let points = |said: &[crate::study::Said]| {
        let tenths = crate::study::Found::reliability(said).into_iter().filter(|(n, _, _)| *n >= 10);
        tenths.map(|(_, said, right)| (said, right)).collect::<Vec<_>>()
    };
    draw(
        &folder.join("reliability.svg"),
        &Frame {
            title: "When it says so much, how often is it right?",
            across: "likelihood that it gives its first suspect",
            up: "share of incidents in which that was it",
            width: 1.0,
            height: 1.0,
        },
        &[
            Line {
                name: "as good as its word",
                colour: RGBColor(0xaa, 0xaa, 0xaa),
                points: vec![(0.0, 0.0), (1.0, 1.0)],
            },
            Line { name: "72 h: its share of suspicion", colour: OTHER, points: points(&studied.views[0].1.said) },
            Line { name: "25 h: the likelihood that is shown", colour: OURS, points: points(&shipped.shown) },
        ],
    )?;
    let every = || studied.trades.iter().flat_map(|(_, trades, _)| trades);
    let most = every().map(|trade| trade.wrong).fold(0.0, f64::max);
    let names: Vec<String> = studied.trades.iter().map(|(hours, _, _)| format!("a turn lasts {hours} h")).collect();
    let lines = studied.trades.iter().zip(&names).zip([THIRD, OTHER, OURS]);
    let lines: Vec<Line<'_>> = lines
        .map(|(((_, trades, _), name), colour)| Line {
            name,
            colour,
            points: trades.iter().map(|trade| (trade.wrong, trade.reached)).collect(),
        })
        .collect();
    draw(
        &folder.join("trade-off.svg"),
        &Frame {
            title: "Wrong pages against culprits reached, by threshold",
            across: "people paged for what was not theirs, for each incident",
            up: "the culprit's author is paged",
            width: (most * 1.1).max(0.5),
            height: 1.0,
        },
        &lines,
    )?;
    let named = |others: usize| format!("{others} other frames in each trace (synthetic)");
    let names: Vec<String> = studied.curves.iter().map(|(others, _)| named(*others)).collect();
    let lines: Vec<Line<'_>> = studied
        .curves
        .iter()
        .zip(&names)
        .zip([OURS, OTHER])
        .map(|(((_, curve), name), colour)| Line {
            name,
            colour,
            points: curve.iter().map(|(rate, measures)| (*rate, measures.hit_at_1)).collect(),
        })
        .collect();
    draw(
        &folder.join("traces.svg"),
        &Frame {
            title: "SYNTHETIC: what a stack trace in the alert is worth",
            across: "share of traces that name a file of the culprit",
            up: "the culprit is the first suspect",
            width: 1.0,
            height: 1.0,
        },
        &lines,
    )
}
