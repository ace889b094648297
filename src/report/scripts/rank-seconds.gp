stats data using "rank" name "R" nooutput
set xrange [-0.6 : (R_max > 3 ? R_max : 3) + 0.6]
set yrange [0 : *]
set grid noxtics
set xtics 0, (R_max > 200 ? 100 : R_max > 40 ? 20 : R_max > 12 ? 4 : 1), R_max
set xlabel "rank" textcolor rgb ink
set ylabel "seconds" textcolor rgb ink

stage(i) = word("ingest refine score write merge", i)
colour(i) = i == 1 ? bronze : i == 2 ? silver : i == 3 ? gold : i == 4 ? neutral : application
set tmargin at screen 0.88
set for [i = 1 : 5] label i "■ " . stage(i) at screen 0.13 + 0.17 * (i - 1), 0.95 textcolor rgb colour(i)

wide = R_max > 100 ? 0.5 : 0.36
upto(k) = k == 0 ? 0 : upto(k - 1) + column(stage(k))
plot for [i = 1 : 5] data using "rank":(0):(column("rank") - wide):(column("rank") + wide):(upto(i - 1)):(upto(i)) with boxxyerror linecolor rgb colour(i)
