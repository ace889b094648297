# Ticks with days, or with hours where it is about few days. (stats passes over what is out of range: ranges come after.)
stats data using "begin" name "B" nooutput
stats data using "end" name "E" nooutput
day = 86400.0
span = E_max - B_min
step = span < day / 6 ? 1800 : span < day / 2 ? 7200 : span < day ? 14400 : span < 4 * day ? day / 2 : day * ceil(span / day / 5)
set xtics time format (span < 4 * day ? "%d %b\n%H:%M" : span < 700 * day ? "%d %b\n%Y" : "%b\n%Y") font ",12"
set xtics step * ceil(B_min / step), step
set xrange [B_min - span * 0.01 : E_max + span * 0.01]
set yrange [0 : high]
set grid noxtics
eval legend("positive", "neutral", "negative")

at(x) = column("begin") + x * (column("end") - column("begin"))
upto(k) = part((k > 0 ? column("positive") : 0) + (k > 1 ? column("neutral") : 0) + (k > 2 ? column("negative") : 0))
plot data using (at(0)):(0):(at(0.06)):(at(0.94)):(upto(0)):(upto(1)) with boxxyerror linecolor rgb positive, \
     "" using (at(0)):(0):(at(0.06)):(at(0.94)):(upto(1)):(upto(2)) with boxxyerror linecolor rgb neutral, \
     "" using (at(0)):(0):(at(0.06)):(at(0.94)):(upto(2)):(upto(3)) with boxxyerror linecolor rgb negative
