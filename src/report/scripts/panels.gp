# A panel for each stream, one above the other, on one axis of time.
set datafile missing NaN
stats data using "seconds" name "S" nooutput
unit = S_max > 14400 ? 3600.0 : S_max > 300 ? 60.0 : 1.0
unit_name = unit == 1 ? "seconds" : unit == 60 ? "minutes" : "hours"
set xrange [0 : (S_max > 0 ? S_max / unit : 1.0) * 1.02]
set ytics font ",11"

only(x) = strcol("stream") eq stream ? x : NaN
set multiplot layout 4, 1 margins 0.12, 0.97, 0.14, 0.955 spacing 0, 0.075
do for [i = 1 : 4] {
    stream = word("bronze_stream silver_stream gold_stream application", i)
    colour = i == 1 ? bronze : i == 2 ? silver : i == 3 ? gold : application
    set yrange [*:*]
    undefine Y_*
    stats data using (only(height(0))) name "Y" nooutput
    high = exists("Y_max") && Y_max > 0 ? Y_max : 1.0
    set yrange [0 : high * 1.15]
    eval ticks("y", round(high))
    set format x (i == 4 ? "%g" : "")
    if (i == 4) { set xlabel unit_name . " since the run began" textcolor rgb ink }
    set label 1 stream at graph 0, 1.14 left font ",12" textcolor rgb colour
    plot data using (only(column("seconds") / unit)):(height(0)) with linespoints linecolor rgb colour linewidth 2 pointtype 7 pointsize (S_records > 200 ? 0 : 0.5)
}
unset multiplot
