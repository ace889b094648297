# A bar is all mentions of a user, those of the sentiment that ranks first from the left.
eval legend(first, "neutral", last)
set tmargin at screen 0.93

upto(k) = (k > 0 ? column(first) : 0) + (k > 1 ? column("neutral") : 0) + (k > 2 ? column(last) : 0)
plot data using (0):0:(upto(0)):(upto(1)):($0 - 0.37):($0 + 0.37):ytic(strcol("mention")) with boxxyerror linecolor rgb value(first), \
     "" using (0):0:(upto(1)):(upto(2)):($0 - 0.37):($0 + 0.37) with boxxyerror linecolor rgb neutral, \
     "" using (0):0:(upto(2)):(upto(3)):($0 - 0.37):($0 + 0.37) with boxxyerror linecolor rgb value(last), \
     "" using (upto(3)):0:(sprintf("%.0f", column(by))) with labels left offset 0.5, 0 font ",12" textcolor rgb ends
