stats data using "low" name "L" nooutput
stats data using (column("negative") + column("neutral") + column("positive")) name "N" nooutput
set xrange [(L_min < 30 ? L_min : 30) : 100]
set yrange [0 : N_max * 1.05]
set grid noxtics
set xlabel "predicted score" textcolor rgb ink
set ylabel "mentions" textcolor rgb ink
eval ticks("y", whole(N_max))
eval legend("positive", "neutral", "negative")

upto(k) = (k > 0 ? column("positive") : 0) + (k > 1 ? column("neutral") : 0) + (k > 2 ? column("negative") : 0)
colour(k) = k == 1 ? positive : k == 2 ? neutral : negative
plot for [k = 1 : 3] data using "low":(0):(column("low") + 0.15):(column("high") - 0.15):(upto(k - 1)):(upto(k)) with boxxyerror linecolor rgb colour(k)
