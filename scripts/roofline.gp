# results/roofline.svg from results/roofline.tsv (scripts/roofline.sh): a panel for each machine.
table = 'results/roofline.tsv'
set datafile separator "\t"
rows(machine, kind, field) = system(sprintf("awk -F'\\t' -v m='%s' '$1 == m && $2 == \"%s\" {print %s}' %s", machine, kind, field, table))
machines = system("awk -F'\\t' '!/^#/ && !seen[$1]++ {gsub(/ /, \"_\", $1); print $1}' " . table)
colour(name) = name[strlen(name) - 3:] eq 'fp32' ? 0x3060a0 : name[strlen(name) - 3:] eq 'bf16' ? 0x308040 : 0xc03020
set terminal svg size 460 * words(machines),420 noenhanced font 'sans,12' background rgb 'white'
set output 'results/roofline.svg'
set multiplot layout 1,words(machines)
set logscale xy
set xrange [1:4096]
set xlabel 'operations for each byte of weights'
set grid
set key off
set ytics (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
set ylabel '10^9 operations a second of processor time'
do for [m in machines] {
    machine = system("echo '" . m . "' | tr _ ' '")
    memory = real(rows(machine, 'memory', '$5'))
    roofs = rows(machine, 'roof', '$3')
    heights = rows(machine, 'roof', '$5')
    encoders = rows(machine, 'encoder', '$3 "\t" $4 "\t" $5 "\t" $6')
    highest = 0
    do for [h in heights] { highest = real(h) > highest ? real(h) : highest }
    set yrange [memory:2 * highest]
    set title machine
    unset label
    do for [i = 1:words(roofs)] {
        set label sprintf('%s peak %s', word(roofs, i), word(heights, i)) at graph 0.03, graph 1.0 - 0.055 * i tc rgb colour(word(roofs, i))
    }
    set label sprintf('memory %.0f GB/s', memory) at graph 0.03, graph 0.03
    do for [i = 1:words(encoders) / 5] {
        name = word(encoders, 5 * i - 4) . ' ' . word(encoders, 5 * i - 3)
        height = word(encoders, 5 * i - 1)
        set label sprintf('%s %s: %s', name, height, word(encoders, 5 * i)) at graph 0.97, graph 0.42 - 0.055 * i right tc rgb colour(name)
        set label '' at real(word(encoders, 5 * i - 2)), real(height) point pt (name[1:4] eq 'base' ? 5 : 7) ps 0.9 lc rgb colour(name)
    }
    plot for [i = 1:words(roofs)] (x * memory < real(word(heights, i)) ? x * memory : real(word(heights, i))) with lines lw 2 lc rgb colour(word(roofs, i))
}
unset multiplot
