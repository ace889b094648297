# Bars: how often the model was right, by bins of the score; the line: where it was as sure, in the mean of a bin.
set size ratio 0.75
set xrange [0 : 1]
set yrange [0 : 1]
set format xy "%.1f"
set xtics 0.2
set ytics 0.2
set xlabel "predicted score / 100" textcolor rgb ink
set ylabel "share that is right" textcolor rgb ink
set label "as sure as right" at graph 0.03, 0.075 rotate by 37 left textcolor rgb neutral

pale = (96 << 24) + accent
plot data using "low":"accuracy":(column("low") + 0.004):(column("high") - 0.004):(0):"accuracy" with boxxyerror linecolor rgb pale, \
     x with lines linecolor rgb neutral dashtype (6, 4), \
     data using "confidence":"accuracy" with linespoints linecolor rgb accent linewidth 2 pointtype 7 pointsize 0.7
