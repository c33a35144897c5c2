"""How each kind of plan is executed: semantics as in tailq.plan, one module a kind."""

from typing import Any, Final

from gateway.dataplane.plans.cascade import CascadeCourse
from gateway.dataplane.plans.course import Course
from gateway.dataplane.plans.race import RaceCourse
from gateway.dataplane.plans.rescue import RescueCourse
from gateway.dataplane.plans.single import SingleCourse
from tailq.plan import Cascade, Race, Rescue, Single

COURSES: Final[dict[type, Course[Any]]] = {
    Single: SingleCourse(),
    Cascade: CascadeCourse(),
    Race: RaceCourse(),
    Rescue: RescueCourse(),
}
