"""Behavioural subcircuits for ngspice, written here; the figures are the datasheets' typical ones.

What they have: an op-amp's bandwidth, second pole, slew, swing, offset, bias and input capacitance;
a switch's resistance, two delays, charge injection, capacitances and leakage; a Schmitt trigger's
two thresholds. What they lack: noise, temperature, supply current, the change of a switch's resistance
with voltage.
"""

from __future__ import annotations

_AMPLIFIERS = """
* op-amp: an integrator that slews, clamps inside the rails, then a second pole and an output resistance
.subckt opamp inp inn vcc vee out params: gbw=10meg sr=20meg aol=1meg vos=0 rout=100 ib=5p cin=4p hi=0.1
+ lo=0.1 pole=30meg
Cp inp 0 {cin}
Cn inn 0 {cin}
Ibp inp 0 {ib}
Ibn inn 0 {ib}
Bgm 0 x I = {sr}*1u*tanh((V(inp)-V(inn)+{vos})*6.283185*{gbw}/{sr})
Cx x 0 1u
Rx x 0 {aol/(6.283185*gbw*1u)}
Bhi x 0 I = 100*max(0,V(x)-V(vcc)+{hi})
Blo x 0 I = 100*min(0,V(x)-V(vee)-{lo})
Ebuf y 0 x 0 1
Rp y z 1k
Cz z 0 {1/(6.283185*pole*1k)}
Eo o 0 z 0 1
Ro o out {rout}
.ends
* instrumentation amplifier: 1 + 49.4 k/RG by the current through the real RG; inputs stop 2 V below the rail
.subckt inamp inp inn ga gb ref vcc vee out params: vos=10u ib=0.15n bw=1.5meg sr=2meg cmrr=2.5u hi=1.5 lo=1.5
+ cin=2p
Cp inp 0 {cin}
Cn inn 0 {cin}
Ibp inp 0 {ib}
Ibn inn 0 {ib}
Bd d 0 V = min(V(inp),V(vcc)-2)-min(V(inn),V(vcc)-2)+{vos}+{cmrr}*V(inp)
Eg ga gx d 0 1
Vg gb gx 0
Rgb gb 0 1meg
Bx 0 x I = {sr}*1u*tanh((V(ref)+V(d)+49400*I(Vg)-V(x))*6.283185*{bw}/{sr})
Cx x 0 1u
Bhi x 0 I = 100*max(0,V(x)-V(vcc)+{hi})
Blo x 0 I = 100*min(0,V(x)-V(vee)-{lo})
Eo o 0 x 0 1
Ro o out 20
.ends
"""

_TRANSISTORS = """
.subckt nmos d g s params: vto=2.1 kp=0.2 lambda=0.01 cgs=25p cgd=5p cds=20p rs=1 leak=1n
Mx d g si si nm
.model nm nmos level=1 vto={vto} kp={kp} lambda={lambda}
Rsx s si {rs}
Cgs g s {cgs}
Cgd g d {cgd}
Cds d s {cds}
Dbody si d dbody
Ileak d s {leak}
.ends
.subckt pmos d g s params: vto=-2.5 kp=0.12 lambda=0.01 cgs=42p cgd=8p cds=17p rs=2 leak=1n
Mx d g si si pm
.model pm pmos level=1 vto={vto} kp={kp} lambda={lambda}
Rsx s si {rs}
Cgs g s {cgs}
Cgd g d {cgd}
Cds d s {cds}
Dbody d si dbody
Ileak s d {leak}
.ends
.model dbody D is=1e-12 rs=1 cjo=1p
.model dsig D is=2.5n n=1.75 rs=0.6 cjo=4p tt=6n bv=75
.model dschottky D is=100n n=1.05 rs=4 cjo=10p bv=30
"""

_SWITCHES = """
* analog switch: a control voltage follows the input at another rate up than down, and is half after ton, toff
.subckt switch a b in params: ron=25 ton=110n toff=100n qinj=5p coff=9p leak=0.1n
Bu w 0 V = 0.5*(1+tanh((V(in)-1.6)*8))
Bc 0 c I = 0.693*(max(0,V(w)-V(c))/{ton}+min(0,V(w)-V(c))/{toff})
Cc c 0 1
Rc c 0 1e12
Bs a b I = V(a,b)*exp(-25.3+(25.3-ln({ron}))/(1+exp(-(V(c)-0.5)*40)))
Ec q 0 c 0 1
Cqa q a {qinj/2}
Cqb q b {qinj/2}
Ca a 0 {coff}
Cb b 0 {coff}
Il a 0 {leak}
.ends
* one of the eight switches of a matrix, set before the run
.subckt matrix d s params: on=0 ron=9.5 coff=9p con=16p leak=0.05n
Rs d s {on > 0.5 ? ron : 1e11}
Cd d 0 {on > 0.5 ? con : coff}
Cs s 0 {on > 0.5 ? con : coff}
Il d 0 {leak}
.ends
* a reed contact: 0.7 tau after its coil. 0.5 ms at most by the datasheet, several times that behind a diode
.subckt contact a b cp cn params: ron=0.15 tau=1m pull=3
Bc 0 c I = (0.5*(1+tanh((V(cp,cn)-{pull})*8))-V(c))/{tau}
Cc c 0 1
Rc c 0 1e12
Bs a b I = V(a,b)*exp(-25.3+(25.3-ln({ron}))/(1+exp(-(V(c)-0.5)*40)))
Ca a b 1p
.ends
"""

_LOGIC = """
.subckt nand a b y vcc params: vth=1.4 tau=15n
Bn n 0 V = V(vcc)*(1-0.25*(1+tanh((V(a)-{vth})*20))*(1+tanh((V(b)-{vth})*20)))
Rn n m 1k
Cm m 0 {tau/1k}
Ey o 0 m 0 1
Ro o y 60
.ends
.subckt schmitt a y vcc params: vtp=2.7 vtn=1.7
Ca a 0 5p
Sx x 0 a 0 sch
.model sch sw vt={(vtp+vtn)/2} vh={(vtp-vtn)/2} ron=10 roff=1e9
Rx vcc x 1k
Cx x 0 12p
Ey o 0 x 0 1
Ro o y 60
.ends
.subckt source p n params: volt=15
Vs q n {volt}
Rs q p 0.05
.ends
.subckt coil a b params: value=10u
Lx a m {value}
Rx m b 0.15
.ends
"""

LIBRARY = _AMPLIFIERS + _TRANSISTORS + _SWITCHES + _LOGIC
"""Everything that a Cell's `model` may name, besides R and C."""
